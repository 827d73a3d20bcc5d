import {
  FidelisError,
  isGiven,
  logitStreamName,
  partition,
  streamKey,
  type Codec,
  type GivenTeacherSpec,
  type Split,
  type StreamRecord,
  type ViewSpec,
} from '@fidelis/contracts';
import { datasetInfoOf, viewExtent } from '@fidelis/data';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import type { StreamRow } from './stream.entity.js';

export interface StreamRequest {
  readonly view: ViewSpec;
  readonly codec: Codec;
  readonly steps: number;
  readonly correlationId: string;
}

/** @throws FidelisError TEACHER.NOT_READY; DATASET.MISMATCH */
export function newStream(teacher: TeacherRow, request: StreamRequest, now: Date): StreamRow {
  const { view, codec, steps, correlationId } = request;
  const { weightsDigest, members, classes } = teacher;
  if (weightsDigest === null) {
    throw new FidelisError(
      'TEACHER.NOT_READY',
      `teacher ${teacher.id} is ${teacher.state}: wait until it is ready`,
    );
  }
  if (view.dataset.digest !== teacher.spec.dataset.digest) {
    throw new FidelisError(
      'DATASET.MISMATCH',
      `teacher ${teacher.id} was trained on another dataset than the view's ${view.dataset.name}`,
    );
  }
  requireAnswers(teacher, view);
  const info = datasetInfoOf(view.dataset);
  const { stepRows } = viewExtent(view, info.splits[view.split]);
  const { parts, partRows } = partition(stepRows, members, classes, codec);
  return {
    key: streamKey(weightsDigest, view, codec),
    teacherId: teacher.id,
    teacherDigest: weightsDigest,
    view,
    codec,
    members,
    classes,
    steps,
    parts,
    partRows,
    state: 'opening',
    publishedSteps: 0,
    publishedBytes: 0,
    incarnation: 0,
    reachedSteps: 0,
    waitsFor: null,
    producers: [],
    codecError: null,
    teacherSeconds: 0,
    error: null,
    correlationId,
    createdAt: now,
    lastUsedAt: now,
    leaseOwner: null,
    leaseUntil: null,
  };
}

/** A table of logits has one answer for each sample as it is. @throws FidelisError SPEC.INVALID */
function requireAnswers({ id, spec }: TeacherRow, view: ViewSpec): void {
  if (!isGiven(spec) || (view.kind === 'table' && answers(spec, view.split))) return;
  throw new FidelisError(
    'SPEC.INVALID',
    `teacher ${id} is a table of logits of the samples as they are${spec.testLogits === null ? ' in the train split' : ''}: it has no answers for this view. Use a table view, or a teacher with weights`,
  );
}

/** Whether a table of logits has the split. */
export function answers({ testLogits }: GivenTeacherSpec, split: Split): boolean {
  return split === 'train' || testLogits !== null;
}

export function toStreamRecord(row: StreamRow): StreamRecord {
  return {
    key: row.key,
    stream: logitStreamName(row.key),
    teacherId: row.teacherId,
    teacherDigest: row.teacherDigest,
    view: row.view,
    codec: row.codec,
    members: row.members,
    classes: row.classes,
    steps: row.steps,
    parts: row.parts,
    partRows: row.partRows,
    state: row.state,
    publishedSteps: row.publishedSteps,
    publishedBytes: row.publishedBytes,
    incarnation: row.incarnation,
    waitsFor: row.waitsFor,
    producers: row.producers,
    codecError: row.codecError,
    teacherSeconds: row.teacherSeconds,
    error: row.error,
  };
}

/** True if the view's logits are those of the whole split as it is: then they serve as the teacher's predictions on it, too. */
export function coversSplit(view: ViewSpec): boolean {
  return view.kind === 'table' && view.subset === undefined;
}
