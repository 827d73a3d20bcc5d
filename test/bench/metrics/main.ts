import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { EvaluationEngine, ReliabilityAccumulator } from '@fidelis/fidelity';
import { createLogits, type BenchCase } from './cases.js';

/** Rows per batch: what a reader hands over at a time. */
const BATCH_ROWS = 1_000;
const REPEATS = 5;

const CASES: readonly BenchCase[] = [
  { rows: 50_000, classes: 100 },
  { rows: 10_000, classes: 1_000 },
];

interface Timing extends BenchCase {
  readonly what: string;
  readonly seconds: number;
}

/** Best of several: what the machine can do when nothing else is in the way. */
function best(run: () => void): number {
  let least = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    run();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

function measure(size: BenchCase): Timing[] {
  const { rows, classes } = size;
  const { teacher, student, labels, probabilities } = createLogits(size);
  const batches = (add: (from: number, to: number) => void): void => {
    for (let from = 0; from < rows; from += BATCH_ROWS) add(from, Math.min(rows, from + BATCH_ROWS));
  };
  const set = best(() => {
    const engine = new EvaluationEngine({ classes, labels: true });
    batches((from, to) =>
      engine.add({
        teacher: teacher.subarray(from * classes, to * classes),
        student: student.subarray(from * classes, to * classes),
        labels: labels.subarray(from, to),
        rows: to - from,
      }),
    );
    engine.result();
  });
  const ece = (kind: 'logits' | 'probs', model: Float32Array): number =>
    best(() => {
      const reliability = new ReliabilityAccumulator({ classes, kind });
      batches((from, to) =>
        reliability.add({
          model: model.subarray(from * classes, to * classes),
          labels: labels.subarray(from, to),
          rows: to - from,
        }),
      );
      reliability.result();
    });
  return [
    { ...size, what: 'fidelis: whole set', seconds: set },
    { ...size, what: 'fidelis: ECE of probabilities', seconds: ece('probs', probabilities) },
    { ...size, what: 'fidelis: ECE of logits', seconds: ece('logits', student) },
  ];
}

/** The peers on arrays of the same distribution; none where Python does not have them. */
function measurePeers(python: string): Timing[] {
  const script = fileURLToPath(new URL('../../../metrics/peers.py', import.meta.url));
  const { status, stdout } = spawnSync(python, [script, JSON.stringify({ cases: CASES, repeats: REPEATS })], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return status === 0 ? (JSON.parse(stdout) as Timing[]) : [];
}

const json = process.argv.includes('--json');
const python = process.argv.find((argument) => argument.startsWith('--python='))?.slice('--python='.length);
const peers = measurePeers(python ?? 'python3');
const timings = [...CASES.flatMap(measure), ...peers];
const cores = availableParallelism();
if (json) {
  process.stdout.write(`${JSON.stringify({ cores, node: process.version, timings }, null, 2)}\n`);
} else {
  process.stdout.write(`${cores} cores, one thread, Node.js ${process.version}, best of ${REPEATS}\n`);
  for (const { rows, classes, what, seconds } of timings) {
    process.stdout.write(
      `${rows.toString().padStart(6)} × ${classes.toString().padEnd(5)} ${what.padEnd(34)} ${seconds.toFixed(3)} s\n`,
    );
  }
  if (peers.length === 0) {
    process.stdout.write(
      'No peers: give --python=<one with the packages of test/parity/metrics/requirements.txt>\n',
    );
  }
}
