import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MeasuredProcess } from './measured-process.js';
import { printTable, spread, type StepTiming } from './step-table.js';

/** Images/s of one distillation step at batch 128: `npm run bench:step -- [--json] [--python P] [--models a,b] [--repeats N] [--seconds S]`. */

const BATCH = 128;

interface BenchModel {
  readonly model: string;
  readonly input: readonly [height: number, width: number, channels: number];
  readonly classes: number;
}

const MODELS: readonly BenchModel[] = [
  { model: 'lenet5', input: [28, 28, 1], classes: 10 },
  { model: 'preresnet20', input: [32, 32, 3], classes: 100 },
  { model: 'preresnet56', input: [32, 32, 3], classes: 100 },
  { model: 'vgg16', input: [32, 32, 3], classes: 100 },
];

const MODES = ['compiled', 'eager', 'wasm', 'torch', 'torch-compile'] as const;

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    python: { type: 'string', default: 'python3' },
    models: { type: 'string' },
    modes: { type: 'string' },
    cores: { type: 'string' },
    repeats: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
  },
});

const ownScript = fileURLToPath(new URL('./fidelis-steps.js', import.meta.url));
const peerScript = fileURLToPath(new URL('../../../step/peer.py', import.meta.url));
const peerModules = fileURLToPath(new URL('../../../../parity/models', import.meta.url));

/** Of this run alone, so that its first steps record and its end leaves nothing. */
const graphs = mkdtempSync(join(tmpdir(), 'fidelis-bench-'));
process.once('exit', () => rmSync(graphs, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

function commandOf(mode: (typeof MODES)[number], model: BenchModel, threads: number): string[] {
  const request = { ...model, batch: BATCH, threads, mode, graphs };
  if (mode === 'torch' || mode === 'torch-compile') {
    const peer = { ...request, compile: mode === 'torch-compile', modules: peerModules };
    return [options.python, peerScript, JSON.stringify(peer)];
  }
  return [process.execPath, ownScript, JSON.stringify(request)];
}

/** All modes of one model on so many cores, in turns: what disturbs the machine for a while disturbs them alike. */
async function measure(model: BenchModel, cores: number): Promise<StepTiming[]> {
  const cpus = cores === 1 ? '0' : `0-${cores - 1}`;
  const repeats = Number(options.repeats);
  const running = new Map<string, { process: MeasuredProcess; steps: number; rates: number[] }>();
  const timings: StepTiming[] = [];
  const leave = (mode: string, reason: string): void => {
    running.get(mode)?.process.end();
    running.delete(mode);
    timings.push({ model: model.model, mode, cores, unavailable: reason });
  };
  for (const mode of MODES.filter((name) => chosen(options.modes, name))) {
    const process = await MeasuredProcess.start(commandOf(mode, model, cores), cpus, {
      OMP_NUM_THREADS: String(cores),
    });
    if (typeof process === 'string') {
      leave(mode, process);
      continue;
    }
    running.set(mode, { process, steps: 0, rates: [] });
    // The first steps record, compile and allocate; the next says how many steps a turn takes.
    const first = await process.steps(3);
    const probe = typeof first === 'string' ? first : await process.steps(2);
    if (typeof probe === 'string') leave(mode, probe);
    else
      running.set(mode, {
        process,
        steps: Math.max(2, Math.ceil((2 * Number(options.seconds)) / probe)),
        rates: [],
      });
  }
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [mode, { process, steps, rates }] of running) {
      const seconds = await process.steps(steps);
      if (typeof seconds === 'string') leave(mode, seconds);
      else rates.push((steps * BATCH) / seconds);
    }
  }
  for (const [mode, { process, rates }] of running) {
    const peakMemoryBytes = await process.peakMemoryBytes();
    process.end();
    timings.push({ model: model.model, mode, cores, imagesPerSecond: spread(rates), peakMemoryBytes });
  }
  return timings;
}

function chosen(list: string | undefined, name: string): boolean {
  return list === undefined || list.split(',').includes(name);
}

const all = availableParallelism();
const coreCounts = [1, ...(all > 1 ? [all] : [])].filter((cores) => chosen(options.cores, String(cores)));
const rows: StepTiming[] = [];
for (const cores of coreCounts) {
  for (const model of MODELS.filter(({ model: name }) => chosen(options.models, name))) {
    const timings = await measure(model, cores);
    rows.push(...timings);
    if (!options.json) printTable(timings);
  }
}
if (options.json) {
  process.stdout.write(
    `${JSON.stringify({ cores: all, node: process.version, batch: BATCH, rows }, null, 2)}\n`,
  );
}
