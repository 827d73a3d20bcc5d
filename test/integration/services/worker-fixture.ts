import {
  encodeFrame,
  inputDigest,
  logitStreamName,
  parseStrict,
  partition,
  streamKey,
  studentJobSchema,
  trainJob,
  type ErrorWire,
  type RunPosition,
  type StudentJob,
  type TrainingResult,
  type ViewSpec,
} from '@fidelis/contracts';
import { JobQueue, LogitLog, RunPositions } from '@fidelis/bus';
import { createSequenceView, createTableView, type Dataset } from '@fidelis/data';
import { configSchema, createApp } from '@fidelis/student-svc';
import { waitFor } from '@fidelis/testing';
import { startApp, type RunningService } from './services-fixture.js';

export const TEACHER_DIGEST = 'fe'.repeat(32);
export const CLASSES = 10;

/** What a teacher has before it for a step, or a chunk. */
export interface ScoredRows {
  readonly ids: Uint32Array;
  readonly inputs: Float32Array;
}

/** The steps of a view as whoever scores them sees it. */
export type Steps = (step: number) => ScoredRows;

export function stepsOf(view: ViewSpec, dataset: Dataset): Steps {
  if (view.kind === 'table') {
    const table = createTableView(dataset, view);
    return (step) => table.chunk(step);
  }
  const sequence = createSequenceView(dataset, view);
  return (step) => sequence.batch(step);
}

/** How a stream is cut, which its reader is told beforehand. */
export interface Layout {
  readonly key: string;
  readonly members: number;
  readonly classes: number;
  readonly parts: number;
  readonly partRows: number;
}

/** @param stepRows of the longest step */
export function layoutOf(view: ViewSpec, stepRows: number, teacherDigest = TEACHER_DIGEST): Layout {
  const cut = partition(stepRows, 1, CLASSES, 'f32');
  return { key: streamKey(teacherDigest, view, 'f32'), members: 1, classes: CLASSES, ...cut };
}

/** The messages of one step: logits that only the sample and the class decide. */
export function messagesOf(layout: Layout, step: number, { ids, inputs }: ScoredRows): Uint8Array[] {
  const { key: streamKey, members, classes, parts, partRows } = layout;
  return Array.from({ length: parts }, (_, part) => {
    const rows = ids.subarray(part * partRows, (part + 1) * partRows);
    return encodeFrame({
      ...{ codec: 'f32', part, parts, streamKey, step, members, classes, rows: rows.length },
      inputDigest: inputDigest(inputs),
      values: Float32Array.from({ length: rows.length * members * classes }, (_, at) => {
        const id = rows[Math.floor(at / (members * classes))] ?? 0;
        return ((id * 7 + (at % (members * classes)) * 3) % 11) / 4;
      }),
    });
  });
}

/** Appends steps `from` to `to`, without the last. */
export async function publish(
  log: LogitLog,
  layout: Layout,
  steps: Steps,
  [from, to]: readonly [number, number],
): Promise<void> {
  await log.ensure(layout.key);
  for (let step = from; step < to; step++) {
    const outcome = await log.append(layout.key, layout.parts, step, messagesOf(layout, step, steps(step)));
    if (outcome !== 'stored') throw new Error(`step ${step} did not fit at the end of ${layout.key}`);
  }
}

export type JobChanges = Omit<Partial<StudentJob>, 'stream'> & {
  readonly stream?: Partial<StudentJob['stream']>;
};

/** A small student of a stream, on the images of the view. */
export function studentJob(
  runId: string,
  view: ViewSpec,
  layout: Layout,
  { stream, ...changes }: JobChanges & { readonly epochs: number; readonly batchSize: number },
): StudentJob {
  return parseStrict(studentJobSchema, {
    kind: 'student',
    runId,
    correlationId: `c-${runId}`,
    dataset: view.dataset,
    classes: CLASSES,
    architecture: { name: 'mlp', hiddenUnits: [16] },
    seed: 3,
    optimizer: { kind: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0 },
    schedule: { kind: 'cosine', floor: 0 },
    view,
    loss: { kind: 'kd', temperature: 4, alpha: 0 },
    stream: { ...layout, name: logitStreamName(layout.key), codec: 'f32', steps: 1, view, ...stream },
    teacherId: 't-0123456789ab',
    teacherDigest: TEACHER_DIGEST,
    evaluation: { sets: [], everyEpochs: 0 },
    ...changes,
  });
}

/** A worker in this process, whose trainings are real processes. */
export class TestWorker {
  readonly log: LogitLog;
  readonly positions: RunPositions;

  private constructor(readonly service: RunningService) {
    this.log = service.get(LogitLog);
    this.positions = service.get(RunPositions);
  }

  static async start(natsUrl: string, environment: Record<string, string> = {}): Promise<TestWorker> {
    const service = await startApp(createApp, configSchema, {
      FIDELIS_ROLE: 'worker',
      FIDELIS_NATS_URL: natsUrl,
      FIDELIS_BACKEND: 'wasm',
      FIDELIS_EAGER: 'true',
      ...environment,
    });
    return new TestWorker(service);
  }

  async enqueue(job: StudentJob): Promise<void> {
    const { runId, correlationId } = job;
    await this.service.get(JobQueue).enqueue(trainJob, 'cpu', runId, job, { correlationId });
  }

  async position(runId: string): Promise<RunPosition | undefined> {
    return (await this.positions.read(runId))?.position;
  }

  /** What the run came to. */
  async result(runId: string): Promise<TrainingResult> {
    return waitFor(async () => (await this.position(runId))?.result, {
      what: `${runId} to end`,
      deadlineMs: 40_000,
    });
  }

  async completed(runId: string): Promise<Extract<TrainingResult, { outcome: 'completed' }>> {
    const result = await this.result(runId);
    if (result.outcome !== 'completed') throw new Error(`${runId}: ${JSON.stringify(result)}`);
    return result;
  }

  /** What the run failed with. */
  async failure(runId: string): Promise<ErrorWire> {
    const result = await this.result(runId);
    if (result.outcome !== 'failed') throw new Error(`${runId}: ${JSON.stringify(result)}`);
    return result.error;
  }

  close(): Promise<void> {
    return this.service.close();
  }
}
