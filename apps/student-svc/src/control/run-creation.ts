import { randomBytes } from 'node:crypto';
import {
  FidelisError,
  resolveTeacherTraining,
  resolveView,
  stageNames,
  studentSeed,
  type DatasetRef,
  type ExperimentSpec,
  type RunRecord,
  type StreamRecord,
  type StudentJob,
  type TrainedTeacherSpec,
  type ViewSpec,
} from '@fidelis/contracts';
import { extentOfRows, viewExtent, type DatasetInfo } from '@fidelis/data';
import { studentStart } from './student-start.js';
import type { RunRow } from './run.entity.js';

/** Crockford's base 32 in lower case: no letter that reads as another. */
const ID_ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** `r-` and ten characters: 50 random bits. */
export function newRunId(): string {
  return `r-${Array.from(randomBytes(10), (byte) => ID_ALPHABET[byte % ID_ALPHABET.length]).join('')}`;
}

export function newRun(
  id: string,
  spec: ExperimentSpec,
  {
    dataset,
    info,
    others = [],
  }: { readonly dataset: DatasetRef; readonly info: DatasetInfo; readonly others?: readonly DatasetRef[] },
  correlationId: string,
  now: Date,
): RunRow {
  return {
    id,
    name: spec.name,
    state: 'preparing',
    teacherId: null,
    streamKey: null,
    spec,
    stages: stageNames.map((name) => ({
      name,
      state: 'waiting',
      done: 0,
      total: 0,
      reused: false,
      startedAt: null,
      seconds: null,
    })),
    progress: {
      step: 0,
      steps: 0,
      epoch: 0,
      epochs: spec.student.epochs,
      loss: null,
      learningRate: null,
      imagesPerSecond: null,
      waitSeconds: 0,
    },
    lineage: {
      dataset,
      teacherId: null,
      teacherDigest: null,
      streamKey: null,
      weightsDigest: null,
      producer: null,
      teacherProducer: null,
      execution: null,
    },
    frames: { published: 0, consumed: 0, trained: 0, closed: null },
    plan: {
      stream: null,
      viewRows: viewRows(viewOf(spec, dataset, others), info),
      ...(others.length === 0 ? {} : { others }),
      token: -1,
      cancelRequested: false,
      evaluatedSets: [],
    },
    attempts: 0,
    released: false,
    error: null,
    correlationId,
    ordinal: '0',
    createdAt: now,
    startedAt: null,
    endedAt: null,
  };
}

/** What is asked of teacher-svc: a teacher that it is to train, that exists, or that is given. */
export type WantedTeacher =
  | { readonly kind: 'spec'; readonly spec: TrainedTeacherSpec }
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'table'; readonly logits: string; readonly testLogits: string | null };

export function wantedTeacher(spec: ExperimentSpec, dataset: DatasetRef): WantedTeacher {
  if ('id' in spec.teacher) return { kind: 'id', id: spec.teacher.id };
  if ('kind' in spec.teacher) {
    return { kind: 'table', logits: spec.teacher.logits, testLogits: spec.teacher.testLogits ?? null };
  }
  const { architecture, seed, members, train } = spec.teacher;
  return {
    kind: 'spec',
    spec: {
      architecture,
      dataset,
      seed: seed ?? spec.seed,
      ...(members === undefined ? {} : { members }),
      train: resolveTeacherTraining(train),
    },
  };
}

/** The view of the student, which is the one that its teacher scores. */
export function viewOf(
  spec: ExperimentSpec,
  dataset: DatasetRef,
  others: readonly DatasetRef[] = [],
): ViewSpec {
  return resolveView(spec.view, {
    dataset,
    split: 'train',
    seed: spec.seed,
    batchSize: spec.student.batchSize,
    refOf: (name) => {
      const found = others.find((other) => other.name === name);
      if (found === undefined) throw new FidelisError('INTERNAL', `the run does not know dataset ${name}`);
      return found;
    },
  });
}

/** Samples of the view. */
export function viewRows(view: ViewSpec, info: DatasetInfo): number {
  return viewExtent(view, info.splits[view.split]).rows;
}

/** Steps that the stream must have for this run: the chunks of a table, or the batches of all epochs. */
export function streamSteps(view: ViewSpec, info: DatasetInfo, epochs: number): number {
  const { stepsPerEpoch } = viewExtent(view, info.splits[view.split]);
  return view.kind === 'table' ? stepsPerEpoch : stepsPerEpoch * epochs;
}

/** Rows (images) of the first `steps` steps of the stream. */
export function rowsOfSteps(view: ViewSpec, rows: number, steps: number): number {
  return extentOfRows(view, rows).rowsOfSteps(steps);
}

export function studentJobOf(row: RunRow, stream: StreamRecord): StudentJob {
  const { student, evaluation } = row.spec;
  const { key, codec, members, classes, parts, partRows } = stream;
  const start = studentStart(student, row.plan.teacher);
  return {
    kind: 'student',
    runId: row.id,
    correlationId: row.correlationId,
    dataset: row.lineage.dataset,
    classes,
    architecture: student.architecture,
    seed: studentSeed(row.spec),
    epochs: student.epochs,
    batchSize: student.batchSize,
    optimizer: student.optimizer,
    schedule: student.schedule,
    // Its own: the student must not take the teacher's word for what it scored.
    view: viewOf(row.spec, row.lineage.dataset, row.plan.others),
    ...(start === undefined ? {} : { start }),
    loss: student.loss,
    stream: {
      ...{ key, name: stream.stream, codec, members, classes, steps: stream.steps, parts, partRows },
      view: stream.view,
    },
    teacherId: stream.teacherId,
    teacherDigest: stream.teacherDigest,
    evaluation,
  };
}

export function toRecord(row: RunRow): RunRecord {
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    spec: row.spec,
    stages: row.stages,
    progress: row.progress,
    lineage: row.lineage,
    frames: row.frames,
    attempts: row.attempts,
    error: row.error,
    correlationId: row.correlationId,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}
