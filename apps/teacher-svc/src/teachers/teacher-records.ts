import type { TeacherJob, TeacherRecord, TeacherSpec } from '@fidelis/contracts';
import { datasetInfo } from '@fidelis/data';
import { memberModels } from './ensemble.js';
import { teacherIdOf } from './teacher-id.js';
import type { TeacherRow } from './teacher.entity.js';

export function newTeacher(spec: TeacherSpec, correlationId: string, now: Date): TeacherRow {
  const { classes } = datasetInfo(spec.dataset.name);
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

/** Of a single model: an ensemble has no training of its own. */
export function teacherJobOf(row: TeacherRow): TeacherJob {
  const { architecture, dataset, seed, train } = row.spec;
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
