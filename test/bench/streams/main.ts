import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { studentSeed } from '@fidelis/contracts';
import { BenchStack } from './bench-stack.js';
import { benchSpec, MODELS, type BenchModel } from './bench-spec.js';
import { pin } from './process-figures.js';
import { referenceAnswerSchema, type ReferenceRequest } from './reference-protocol.js';
import { runServed, type ServedRun } from './served-students.js';
import type { Measurement } from './stream-row.js';
import { rowsOf, tableOf } from './stream-table.js';

/**
 * What it costs a student to have its teacher elsewhere:
 * `npm run bench:streams -- [--json] [--models a,b] [--repeats N] [--epochs N] [--students 1,2,4,8] [--lead N] [--memory]`.
 */

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    models: { type: 'string', default: MODELS.map(({ model }) => model).join(',') },
    /** Turns of no-teacher, in-process, live and replay. */
    repeats: { type: 'string', default: '3' },
    epochs: { type: 'string', default: '4' },
    /** Numbers of students on one live stream. */
    students: { type: 'string', default: '1,2,4,8' },
    lead: { type: 'string', default: '256' },
    /** Also a run of ten times the length, for its memory. */
    memory: { type: 'boolean', default: false },
  },
});

const WARM_STEPS = 10;
const EPOCHS = Number(options.epochs);
/** Of students beside each other without a teacher: their rate is not that of a short start. */
const BESIDE_EPOCHS = Math.max(1, Math.floor(EPOCHS / 2));
const [TEACHER_CPU, STUDENT_CPU] = ['0', '1'];
const cpus = availableParallelism();
if (cpus < 2) throw new Error('teacher and student need a processor each: this machine has one');
const OTHER_CPU = cpus > 2 ? `2-${cpus - 1}` : TEACHER_CPU;

/** After a signal all that was started ends, and the stack's directory goes. */
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interruption.abort(new Error(`ended by ${signal}`)));
}

const referenceScript = fileURLToPath(new URL('./reference-student.js', import.meta.url));
const measurements: Measurement[] = [];
/** Every view has one result, however its logits came to the student. */
const digests = new Map<string, Set<string>>();

function add(measurement: Measurement): void {
  measurements.push(measurement);
  const name = `${measurement.model} ${measurement.view} ${measurement.steps}`;
  digests.set(name, new Set([...(digests.get(name) ?? []), ...measurement.weightsDigests]));
  const { model, mode, students, imagesPerSecond } = measurement;
  process.stderr.write(
    `${model} ${mode} ${students}: ${imagesPerSecond.toFixed(0)} images/s, weights ${measurement.weightsDigests.map((digest) => digest.slice(0, 8)).join(' ')}\n`,
  );
}

async function reference(
  model: BenchModel,
  mode: ReferenceRequest['mode'],
  { stream, teacherWeights: [teacherWeights = ''] }: ServedRun,
  stack: BenchStack,
  epochs = EPOCHS,
): Promise<Measurement> {
  const spec = benchSpec(model, { name: mode, viewSeed: 0, epochs });
  const { student } = spec;
  const seed = studentSeed(spec);
  const { view, key, parts, steps, codec } = stream;
  if (view.kind !== 'sequence') throw new Error('a sequence is measured');
  const { architecture, optimizer, schedule, loss } = student;
  const request: ReferenceRequest = {
    mode,
    natsUrl: stack.natsUrl,
    streamKey: key,
    ...{
      parts,
      steps,
      codec,
      view,
      architecture,
      optimizer,
      schedule,
      loss,
      seed,
      epochs,
      teacherWeights,
    },
    warmSteps: WARM_STEPS,
  };
  const { stdout } = await promisify(execFile)(
    'taskset',
    ['-c', STUDENT_CPU, process.execPath, referenceScript, JSON.stringify(request)],
    { maxBuffer: 2 ** 24, signal: interruption.signal },
  );
  const answer = referenceAnswerSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  return {
    model: model.model,
    mode,
    students: 1,
    imagesPerSecond: answer.imagesPerSecond,
    studentSecondsPerImage: answer.processorSecondsPerImage,
    teacherSeconds: answer.teacherSeconds,
    teacherProcessorSeconds: null,
    brokerSeconds: 0,
    studentWaitRatio: 0,
    bytesPerSample: null,
    frameAgeSeconds: null,
    peakMemoryBytes: { teacher: null, student: answer.peakBytes, broker: null },
    steps,
    weightsDigests: [answer.weightsDigest],
    view: JSON.stringify(view),
  };
}

/** So many students without a teacher at once, which have to share their processor, too. */
async function beside(
  model: BenchModel,
  students: number,
  served: ServedRun,
  stack: BenchStack,
): Promise<Measurement> {
  const all = await Promise.all(
    Array.from({ length: students }, () => reference(model, 'no-teacher', served, stack, BESIDE_EPOCHS)),
  );
  const [first] = all;
  if (first === undefined) throw new Error('at least one student');
  const sum = (of: (measurement: Measurement) => number): number =>
    all.reduce((total, measurement) => total + of(measurement), 0);
  return {
    ...first,
    students,
    imagesPerSecond: sum(({ imagesPerSecond }) => imagesPerSecond),
    studentSecondsPerImage: sum(({ studentSecondsPerImage }) => studentSecondsPerImage) / students,
    weightsDigests: all.flatMap(({ weightsDigests }) => weightsDigests),
  };
}

/** Specs of so many students on one view. */
function specsOf(
  model: BenchModel,
  viewSeed: number,
  { students = 1, epochs = EPOCHS }: { readonly students?: number; readonly epochs?: number } = {},
): ReturnType<typeof benchSpec>[] {
  return Array.from({ length: students }, (_, i) =>
    benchSpec(model, { name: `${model.model}-${viewSeed}-${i}`, viewSeed, epochs }),
  );
}

/** As many workers as there are students: one that has nothing to do is not quite idle, and has the students' processor. */
function startStack(workers: number): Promise<BenchStack> {
  return BenchStack.start({
    workers,
    teacherCpu: TEACHER_CPU,
    studentCpu: STUDENT_CPU,
    otherCpu: OTHER_CPU,
    leadSteps: Number(options.lead),
    signal: interruption.signal,
  });
}

async function measureModes(model: BenchModel): Promise<void> {
  await using stack = await startStack(1);
  const served = async (mode: 'live' | 'replay', viewSeed: number, epochs = EPOCHS): Promise<void> => {
    const { measurement } = await runServed(stack, specsOf(model, viewSeed, { epochs }), WARM_STEPS);
    add({ model: model.model, mode, ...measurement });
  };
  // Trains the teacher, scores the evaluation set, records the graphs: its rate is nobody's.
  const first = await runServed(stack, specsOf(model, 0), WARM_STEPS);
  for (let turn = 0; turn < Number(options.repeats); turn++) {
    add(await reference(model, 'no-teacher', first, stack));
    await served('live', turn + 1);
    await served('replay', 0);
    add(await reference(model, 'in-process', first, stack));
  }
  if (options.memory) await served('live', 1_000, 10 * EPOCHS);
}

async function measureStudents(model: BenchModel, students: number): Promise<void> {
  await using stack = await startStack(students);
  const first = await runServed(stack, specsOf(model, 0, { epochs: BESIDE_EPOCHS }), WARM_STEPS);
  add(await beside(model, students, first, stack));
  const { measurement } = await runServed(stack, specsOf(model, 100 + students, { students }), WARM_STEPS);
  add({ model: model.model, mode: 'live', ...measurement });
}

// What measures is not to have the students' processor.
pin(process.pid, OTHER_CPU);
for (const model of MODELS.filter(({ model: name }) => options.models.split(',').includes(name))) {
  await measureModes(model);
  const counts = options.students.split(',').map(Number);
  for (const students of counts.filter((count) => count > 1)) await measureStudents(model, students);
}
const rows = rowsOf(measurements);
const split = [...digests].filter(([, found]) => found.size > 1).map(([name]) => name);
if (options.json) {
  process.stdout.write(
    `${JSON.stringify({ cores: cpus, node: process.version, lead: Number(options.lead), sameWeights: split.length === 0, rows }, null, 2)}\n`,
  );
} else {
  process.stdout.write(`${tableOf(rows)}\n`);
  process.stdout.write(
    split.length === 0
      ? `every mode of a stream gave the same weights (${digests.size} streams)\n`
      : `weights differ between the modes of: ${split.join('; ')}\n`,
  );
}
if (split.length > 0) process.exitCode = 1;
