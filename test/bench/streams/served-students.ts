import { streamRpc, trainingEvents, type ExperimentSpec, type StreamRecord } from '@fidelis/contracts';
import type { BenchStack } from './bench-stack.js';
import { BATCH_ROWS } from './bench-spec.js';
import { agesSince, countsOf } from './frame-age-counts.js';
import { PeakMemory, ProcessorClock, processorSeconds } from './process-figures.js';
import type { Measurement } from './stream-row.js';

const POLL_MS = 200;
const DEADLINE_MS = 20 * 60_000;

interface Progress {
  readonly step: number;
  readonly atMs: number;
  readonly waitSeconds: number;
}

export interface ServedRun {
  readonly measurement: Omit<Measurement, 'model' | 'mode'>;
  readonly stream: StreamRecord;
  /** Artifacts of the teacher's members. */
  readonly teacherWeights: readonly string[];
}

interface EndedRun {
  readonly state: string;
  readonly error: { readonly message: string } | null;
  readonly lineage: {
    readonly weightsDigest: string;
    readonly streamKey: string;
    readonly teacherId: string;
    readonly teacherDigest: string;
  };
}

/**
 * Runs these experiments at once, one on each worker, through the gateway as anybody's, and measures while all of them train.
 *
 * @param warmSteps of each student that are left out
 */
export async function runServed(
  stack: BenchStack,
  specs: readonly ExperimentSpec[],
  warmSteps: number,
): Promise<ServedRun> {
  const [teacher, broker] = [stack.pidOf('teacher'), stack.pidOf('nats-server')];
  const { workers } = stack;
  const before = { teacher: processorSeconds(teacher), broker: processorSeconds(broker) };
  const { streams } = await stack.rpc.call(streamRpc.list, {});
  const secondsBefore = new Map(streams.map(({ stream: { key, teacherSeconds } }) => [key, teacherSeconds]));
  const agesBefore = await countsOf(stack.workers.map(({ url }) => url));
  const memory = {
    teacher: new PeakMemory([teacher]),
    student: new PeakMemory(workers.map(({ pid }) => pid)),
    broker: new PeakMemory([broker]),
  };
  const clock = new ProcessorClock(workers.map(({ pid }) => pid));
  const progress = new Map<string, Progress[]>();
  const following = stack.events.subscribe(trainingEvents.progress, '*', { queueLimit: 100_000 });
  const followed = (async () => {
    for await (const { id, payload } of following) {
      const { step, at, waitSeconds } = payload;
      const report = { step, atMs: Date.parse(at), waitSeconds };
      progress.set(id, [...(progress.get(id) ?? []), report]);
    }
  })();
  const ids = await Promise.all(specs.map((spec) => start(stack, spec)));
  const runs = await Promise.all(ids.map((id) => ended(stack, id)));
  const after = { teacher: processorSeconds(teacher), broker: processorSeconds(broker) };
  following.close();
  await followed;
  const [first] = runs;
  if (first === undefined || workers.length < specs.length) throw new Error('as many workers as students');
  const { stream } = await stack.rpc.call(streamRpc.get, { key: first.lineage.streamKey });
  const window = commonWindow(
    ids.map((id) => progress.get(id) ?? []),
    warmSteps,
    clock.stop(),
  );
  return {
    stream,
    teacherWeights: [first.lineage.teacherDigest],
    measurement: {
      students: specs.length,
      ...window,
      teacherSeconds: stream.teacherSeconds - (secondsBefore.get(stream.key) ?? 0),
      teacherProcessorSeconds: after.teacher - before.teacher,
      brokerSeconds: after.broker - before.broker,
      bytesPerSample: stream.publishedBytes / rowsOf(stream),
      frameAgeSeconds: agesSince(agesBefore, await countsOf(stack.workers.map(({ url }) => url))),
      peakMemoryBytes: {
        teacher: memory.teacher.stop(),
        student: memory.student.stop(),
        broker: memory.broker.stop(),
      },
      steps: stream.steps,
      weightsDigests: runs.map(({ lineage }) => lineage.weightsDigest),
      view: JSON.stringify(stream.view),
    },
  };
}

function rowsOf({ view, steps }: StreamRecord): number {
  const images = view.subset !== undefined && 'size' in view.subset ? view.subset.size : 60_000;
  const stepsPerEpoch = Math.ceil(images / BATCH_ROWS);
  return (steps / stepsPerEpoch) * images;
}

async function start(stack: BenchStack, spec: ExperimentSpec): Promise<string> {
  const data = await stack.graphql('mutation ($spec: JSON!) { startRun(spec: $spec) { id } }', { spec });
  return (data['startRun'] as { id: string }).id;
}

async function ended(stack: BenchStack, id: string): Promise<EndedRun> {
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    const data = await stack.graphql(
      'query ($id: ID!) { run(id: $id) { state error { message } lineage { weightsDigest streamKey teacherId teacherDigest } } }',
      { id },
    );
    const run = data['run'] as EndedRun;
    if (run.state === 'completed') return run;
    if (run.state === 'failed' || run.state === 'cancelled')
      throw new Error(`${id}: ${run.error?.message ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`run ${id} did not end within ${DEADLINE_MS / 60_000} minutes`);
}

/** Rates between when the last student was warm and the first one was about to end. */
function commonWindow(
  students: readonly (readonly Progress[])[],
  warmSteps: number,
  /** Of all students. */
  processorTime: ReturnType<ProcessorClock['stop']>,
): Pick<Measurement, 'imagesPerSecond' | 'studentSecondsPerImage' | 'studentWaitRatio'> {
  const warm = students.map((reports) => reports.filter(({ step }) => step >= warmSteps));
  const from = Math.max(...warm.map((reports) => reports[0]?.atMs ?? Infinity));
  const to = Math.min(...warm.map((reports) => lastBeforeEnd(reports)?.atMs ?? -Infinity));
  const seconds = (to - from) / 1_000;
  if (!(seconds > 2))
    throw new Error('the students did not train beside each other long enough: more epochs');
  let steps = 0;
  let waited = 0;
  for (const reports of warm) {
    steps += at(reports, to, ({ step }) => step) - at(reports, from, ({ step }) => step);
    waited +=
      at(reports, to, ({ waitSeconds }) => waitSeconds) - at(reports, from, ({ waitSeconds }) => waitSeconds);
  }
  const usedUntil = (ms: number): number => at(processorTime, ms, (reading) => reading.seconds);
  const images = steps * BATCH_ROWS;
  return {
    imagesPerSecond: images / seconds,
    studentSecondsPerImage: (usedUntil(to) - usedUntil(from)) / images,
    studentWaitRatio: waited / (seconds * students.length),
  };
}

/** The report of the last step comes after its checkpoint, and those after it tell of the evaluation. */
function lastBeforeEnd(reports: readonly Progress[]): Progress | undefined {
  const greatest = Math.max(...reports.map(({ step }) => step));
  return reports.findLast(({ step }) => step < greatest);
}

/** Between two reports in proportion to the time. */
function at<Report extends { readonly atMs: number }>(
  reports: readonly Report[],
  ms: number,
  of: (report: Report) => number,
): number {
  const next = reports.findIndex(({ atMs }) => atMs >= ms);
  const [before, after] = [reports[next - 1], reports[next]];
  if (after === undefined) throw new Error('a moment outside the reports');
  if (before === undefined || after.atMs === ms) return of(after);
  const share = (ms - before.atMs) / (after.atMs - before.atMs);
  return of(before) + share * (of(after) - of(before));
}
