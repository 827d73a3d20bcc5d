import { FidelisError, invalidFields, type ExperimentSpec, type TeacherRecord } from '@fidelis/contracts';
import {
  asksForClasses,
  classCounts,
  datasetInfo,
  experimentIssues,
  type CheckedDataset,
  type DatasetInfo,
} from '@fidelis/data';
import { checkInitialisation, checkStart } from './student-start.js';

/**
 * What can be said against a spec before anything of it is done.
 *
 * @returns what is known of the spec's dataset
 * @throws FidelisError DATASET.UNKNOWN, SPEC.INVALID with the fields in `details.issues`; DATASET.CORRUPT
 */
export async function checkSpec(spec: ExperimentSpec): Promise<DatasetInfo> {
  const info = known('dataset', spec.dataset);
  const others = othersOf(spec);
  const dataset: CheckedDataset = asksForClasses(spec)
    ? { ...info, trainCounts: await classCounts(spec.dataset, 'train') }
    : info;
  const issues = experimentIssues(spec, (name) =>
    [dataset, ...others].find((candidate) => candidate.name === name),
  );
  if (issues.length > 0) throw invalidFields(issues, 'SPEC.INVALID');
  checkInitialisation(spec);
  return info;
}

/**
 * What can be said against a teacher that exists, which the spec names by its id.
 *
 * @param dataset digest of the run's
 * @throws FidelisError DATASET.MISMATCH, SPEC.INVALID
 */
export function checkTeacher(spec: ExperimentSpec, teacher: TeacherRecord, dataset: string): void {
  const own = teacher.spec.dataset;
  if (own.digest !== dataset) {
    throw invalidFields(
      [
        {
          field: 'teacher.id',
          problem:
            `teacher ${teacher.id} was trained on ${own.name} (${own.digest.slice(0, 12)}…), ` +
            `this run uses ${spec.dataset} (${dataset.slice(0, 12)}…): choose a teacher of the same data`,
        },
      ],
      'DATASET.MISMATCH',
    );
  }
  checkStart(spec.student, teacher.spec.architecture, teacher.members);
}

/** An error of a field of the spec, so that whoever has the file can show its line. */
export function ofField(field: string, error: unknown): FidelisError {
  const { code, message, details, retryable } = FidelisError.from(error);
  return new FidelisError(code, message, {
    details: { ...details, issues: [{ field, problem: message }] },
    cause: error,
    retryable,
  });
}

function othersOf({ view }: ExperimentSpec): DatasetInfo[] {
  if (view.kind === 'table') return [];
  return (['append', 'synthetic'] as const).flatMap((field) => {
    const source = view[field];
    return source === undefined ? [] : [known(`view.${field}.dataset`, source.dataset)];
  });
}

function known(field: string, name: string): DatasetInfo {
  try {
    return datasetInfo(name);
  } catch (error) {
    throw ofField(field, error);
  }
}
