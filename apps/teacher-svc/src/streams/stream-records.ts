import {
  canonicalJson,
  FidelisError,
  isGiven,
  logitStreamName,
  partition,
  streamKey,
  type Codec,
  type GivenTeacherSpec,
  type ImportedTeacherSpec,
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
  requireAnswers(teacher, request);
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

/** A teacher without weights says what is known of it, and nothing else. @throws FidelisError SPEC.INVALID, STREAM.GONE */
function requireAnswers({ id, spec }: TeacherRow, { view, codec, steps }: StreamRequest): void {
  if (!isGiven(spec)) return;
  if (spec.kind === 'archive') return requireStored(id, spec, { view, codec, steps });
  if (view.kind === 'table' && answers(spec, view.split)) return;
  throw new FidelisError(
    'SPEC.INVALID',
    `teacher ${id} is a table of logits of the samples as they are${spec.testLogits === null ? ' in the train split' : ''}: it has no answers for this view. Use a table view, or a teacher with weights`,
  );
}

/** @throws FidelisError STREAM.GONE with what there is, and how to get what there is not */
function requireStored(
  teacherId: string,
  { original, stream }: ImportedTeacherSpec,
  { view, codec, steps }: Pick<StreamRequest, 'view' | 'codec' | 'steps'>,
): void {
  const key = streamKey(original.teacherDigest, view, codec);
  const endStep = stream.firstStep + stream.steps;
  if (key === stream.key && stream.firstStep === 0 && steps <= endStep) return;
  const wanted =
    key === stream.key
      ? `steps 0 to ${steps - 1}`
      : `stream ${key}, which is of another view or codec (${canonicalJson({ codec, view })})`;
  throw new FidelisError(
    'STREAM.GONE',
    `teacher ${teacherId} was imported with one stream, ${stream.key}, of which steps ${stream.firstStep} to ${endStep - 1} are stored; this run wants ${wanted}. ` +
      `Use the stored view (${canonicalJson({ codec: stream.codec, view: stream.view })}) for no more steps than that, ` +
      `or have teacher ${original.teacherId} score the rest where its weights are, and import that (fidelis stream export, fidelis stream import)`,
    {
      details: {
        ...{ teacherId, key: stream.key, firstStep: stream.firstStep, endStep, view: stream.view },
        wanted: { key, view, codec, steps },
      },
    },
  );
}

/** Whether a teacher that is known by its answers has those of the split. */
export function answers(spec: GivenTeacherSpec | ImportedTeacherSpec, split: Split): boolean {
  if (spec.kind === 'archive') return spec.splits.includes(split);
  return split === 'train' || spec.testLogits !== null;
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
