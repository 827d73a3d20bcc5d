import { availableParallelism, loadavg } from 'node:os';
import { EvaluationEngine, ReliabilityAccumulator, type InputKind } from '@fidelis/fidelity';
import { createLogits, type BenchArrays, type BenchCase } from './cases.js';
import { MEASURED, startPeers, type Measured, type Peers } from './peer-process.js';

/** Rows per batch: what a reader hands over at a time. */
const BATCH_ROWS = 1_000;
/** Runs of each side, alternating, after one that warms up. */
const REPEATS = 9;

const CASES: readonly BenchCase[] = [
  { rows: 50_000, classes: 100 },
  { rows: 10_000, classes: 1_000 },
];

const NAMES: Record<Measured, { readonly ours: string; readonly peer: string }> = {
  set: { ours: 'whole set of logits', peer: 'TorchMetrics: its part of the set, of logits' },
  probs: { ours: 'ECE alone, of probabilities', peer: 'netcal: ECE of probabilities' },
  logits: { ours: 'ECE alone, of logits', peer: 'netcal: ECE of the softmax by PyTorch, both timed' },
};

/** Seconds of several runs. */
interface Seconds {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

interface Timing extends BenchCase {
  readonly what: Measured;
  readonly ours: Seconds;
  readonly peer?: Seconds;
  /** Median of the peer by ours. */
  readonly times?: number;
}

function summary(runs: readonly number[]): Seconds {
  const sorted = Float64Array.from(runs).sort();
  const at = (index: number): number => sorted[index] ?? NaN;
  return { median: at(Math.floor(sorted.length / 2)), least: at(0), most: at(sorted.length - 1) };
}

function inBatches(rows: number, add: (from: number, to: number) => void): void {
  for (let from = 0; from < rows; from += BATCH_ROWS) add(from, Math.min(rows, from + BATCH_ROWS));
}

function runSet({ rows, classes }: BenchCase, { teacher, student, labels }: BenchArrays): void {
  const engine = new EvaluationEngine({ classes, labels: true });
  inBatches(rows, (from, to) =>
    engine.add({
      teacher: teacher.subarray(from * classes, to * classes),
      student: student.subarray(from * classes, to * classes),
      labels: labels.subarray(from, to),
      rows: to - from,
    }),
  );
  engine.result();
}

function runEce({ rows, classes }: BenchCase, arrays: BenchArrays, kind: InputKind): void {
  const model = kind === 'probs' ? arrays.probabilities : arrays.student;
  const reliability = new ReliabilityAccumulator({ classes, kind });
  inBatches(rows, (from, to) =>
    reliability.add({
      model: model.subarray(from * classes, to * classes),
      labels: arrays.labels.subarray(from, to),
      rows: to - from,
    }),
  );
  reliability.result();
}

function secondsOf(what: Measured, size: BenchCase, arrays: BenchArrays): number {
  const start = performance.now();
  if (what === 'set') runSet(size, arrays);
  else runEce(size, arrays, what);
  return (performance.now() - start) / 1000;
}

/** Ours and the peer's in turn, so that what else the machine does meets both. */
async function measure(
  what: Measured,
  index: number,
  size: BenchCase,
  arrays: BenchArrays,
  peers: Peers | undefined,
): Promise<Timing> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const mine = secondsOf(what, size, arrays);
    const peer = await peers?.run(index, what);
    if (repeat < 0) continue;
    ours.push(mine);
    if (peer !== undefined) theirs.push(peer);
  }
  const timing = { ...size, what, ours: summary(ours) };
  if (theirs.length === 0) return timing;
  const peer = summary(theirs);
  return { ...timing, peer, times: peer.median / timing.ours.median };
}

function row({ rows, classes, what, ours, peer, times }: Timing): string {
  const figure = ({ median, least, most }: Seconds): string =>
    `${median.toFixed(4)} s (${least.toFixed(4)} to ${most.toFixed(4)})`;
  const name = `${rows.toString().padStart(6)} × ${classes.toString().padEnd(5)} ${NAMES[what].ours.padEnd(28)}`;
  const beside = peer === undefined ? '' : `  ${NAMES[what].peer}: ${figure(peer)}`;
  return `${name} ${figure(ours)}${beside}${times === undefined ? '' : `  ${times.toFixed(1)} ×`}\n`;
}

const python = process.argv.find((argument) => argument.startsWith('--python='))?.slice('--python='.length);
const arrays = CASES.map(createLogits);
const peers = await startPeers(python ?? 'python3', CASES, arrays);
const timings: Timing[] = [];
for (const [index, size] of CASES.entries()) {
  for (const what of MEASURED) {
    const data = arrays[index];
    if (data !== undefined) timings.push(await measure(what, index, size, data, peers));
  }
}
await peers?.stop();
const machine = { cores: availableParallelism(), node: process.version, load: loadavg()[0] ?? NaN };
if (process.argv.includes('--json')) {
  process.stdout.write(`${JSON.stringify({ ...machine, repeats: REPEATS, timings }, null, 2)}\n`);
} else {
  process.stdout.write(
    `${machine.cores} cores, one thread, Node.js ${machine.node}, load ${machine.load.toFixed(1)}, ` +
      `median of ${REPEATS} (least to most)\n${timings.map(row).join('')}`,
  );
  if (peers === undefined) {
    process.stdout.write(
      'No peers: give --python=<one with the packages of test/parity/metrics/requirements.txt>\n',
    );
  }
}
