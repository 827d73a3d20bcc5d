import {
  FidelisError,
  otherDatasets,
  type ExperimentSpec,
  type FieldIssue,
  type TeacherRecord,
} from '@fidelis/contracts';
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
  if (spec.view.kind === 'sequence') {
    for (const field of ['append', 'synthetic'] as const) {
      const source = spec.view[field];
      if (source !== undefined) known(`view.${field}.dataset`, source.dataset);
    }
  }
  const dataset: CheckedDataset = asksForClasses(spec)
    ? { ...info, trainCounts: await classCounts(spec.dataset, 'train') }
    : info;
  const others = otherDatasets(spec.view).map((name) => datasetInfo(name));
  const issues = experimentIssues(spec, (name) =>
    [dataset, ...others].find((candidate) => candidate.name === name),
  );
  if (issues.length > 0) throw refusal('SPEC.INVALID', issues);
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
    throw refusal('DATASET.MISMATCH', [
      {
        field: 'teacher.id',
        problem:
          `teacher ${teacher.id} was trained on ${own.name} (${own.digest.slice(0, 12)}…), ` +
          `this run uses ${spec.dataset} (${dataset.slice(0, 12)}…): choose a teacher of the same data`,
      },
    ]);
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

function known(field: string, name: string): DatasetInfo {
  try {
    return datasetInfo(name);
  } catch (error) {
    throw ofField(field, error);
  }
}

function refusal(code: 'SPEC.INVALID' | 'DATASET.MISMATCH', issues: readonly FieldIssue[]): FidelisError {
  const text = issues.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  return new FidelisError(code, text, { details: { issues } });
}
