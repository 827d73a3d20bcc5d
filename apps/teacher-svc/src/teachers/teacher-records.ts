import {
  canonicalJson,
  sha256Hex,
  type TeacherJob,
  type TeacherRecord,
  type TeacherSpec,
} from '@fidelis/contracts';
import { datasetInfo } from '@fidelis/data';
import type { TeacherRow } from './teacher.entity.js';

/** A teacher that was trained to a spec has the spec's name: asking for the same one twice trains it once. */
export function teacherIdOf(spec: TeacherSpec): string {
  return `t-${sha256Hex(canonicalJson(spec)).slice(0, 12)}`;
}

export function newTeacher(spec: TeacherSpec, correlationId: string, now: Date): TeacherRow {
  const { classes } = datasetInfo(spec.dataset.name);
  return {
    id: teacherIdOf(spec),
    state: 'training',
    spec,
    classes,
    members: 1,
    weightsDigest: null,
    progress: { done: 0, total: 0 },
    error: null,
    correlationId,
    createdAt: now,
    readyAt: null,
  };
}

export function teacherJobOf(row: TeacherRow): TeacherJob {
  const { architecture, dataset, seed, train } = row.spec;
  const { subset, ...recipe } = train;
  return {
    kind: 'teacher',
    runId: row.id,
    correlationId: row.correlationId,
    dataset,
    classes: row.classes,
    architecture,
    seed,
    ...recipe,
    ...(subset === undefined ? {} : { subset }),
  };
}

export function toTeacherRecord(row: TeacherRow): TeacherRecord {
  const { id, state, spec, classes, members, weightsDigest, progress, error } = row;
  return {
    id,
    state,
    spec,
    classes,
    members,
    weightsDigest,
    progress,
    error,
    createdAt: row.createdAt.toISOString(),
    readyAt: row.readyAt?.toISOString() ?? null,
  };
}
