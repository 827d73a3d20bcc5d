import {
  FidelisError,
  isGiven,
  type GivenTeacherSpec,
  type ImportedTeacherSpec,
  type TeacherJob,
  type TeacherRecord,
  type TrainedTeacherSpec,
} from '@fidelis/contracts';
import { datasetInfoOf } from '@fidelis/data';
import { memberModels, givenDigestOf } from './ensemble.js';
import { teacherIdOf } from './teacher-id.js';
import type { TeacherRow } from './teacher.entity.js';

export function newTeacher(spec: TrainedTeacherSpec, correlationId: string, now: Date): TeacherRow {
  const { classes } = datasetInfoOf(spec.dataset);
  return {
    id: teacherIdOf(spec),
    state: 'training',
    spec,
    classes,
    members: spec.members ?? 1,
    weightsDigest: null,
    memberWeights: null,
    execution: null,
    progress: { done: 0, total: 0 },
    error: null,
    correlationId,
    createdAt: now,
    readyAt: null,
  };
}

/** Known by its answers: it is there as soon as they are. */
export function givenTeacher(
  spec: GivenTeacherSpec | ImportedTeacherSpec,
  correlationId: string,
  now: Date,
): TeacherRow {
  const { members, classes } = spec;
  return {
    id: teacherIdOf(spec),
    state: 'ready',
    spec,
    classes,
    members,
    weightsDigest: givenDigestOf(spec),
    memberWeights: null,
    execution: null,
    progress: { done: 0, total: 0 },
    error: null,
    correlationId,
    createdAt: now,
    readyAt: now,
  };
}

/** Of a teacher that is trained. @throws FidelisError INTERNAL of one that is known by its answers alone */
export function trainedSpecOf({ id, spec }: Pick<TeacherRow, 'id' | 'spec'>): TrainedTeacherSpec {
  if (!isGiven(spec)) return spec;
  throw new FidelisError(
    'INTERNAL',
    `teacher ${id} is known by its answers alone: there is nothing to train`,
  );
}

/** Of a single model: an ensemble has no training of its own, and a table of logits none at all. */
export function teacherJobOf(row: TeacherRow): TeacherJob {
  const { architecture, dataset, seed, train } = trainedSpecOf(row);
  return {
    kind: 'teacher',
    runId: row.id,
    correlationId: row.correlationId,
    dataset,
    classes: row.classes,
    architecture,
    seed,
    ...train,
  };
}

export function toTeacherRecord(row: TeacherRow): TeacherRecord {
  const { id, state, spec, classes, members, weightsDigest, execution, progress, error } = row;
  return {
    id,
    state,
    spec,
    classes,
    members,
    weightsDigest,
    memberModels: memberModels(spec, row.memberWeights),
    execution,
    progress,
    error,
    createdAt: row.createdAt.toISOString(),
    readyAt: row.readyAt?.toISOString() ?? null,
  };
}
