import {
  digestSchema,
  FidelisError,
  invalidFields,
  isGiven,
  type ExperimentSpec,
  type GivenTeacherSpec,
  type ImportedTeacherSpec,
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
import { checkInitialisation, checkNoStart, checkStart } from './student-start.js';

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
  const issues = [
    ...experimentIssues(spec, (name) => [dataset, ...others].find((candidate) => candidate.name === name)),
    ...givenIssues(spec),
  ];
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
  if (isGiven(teacher.spec)) {
    const issues = givenTeacherIssues(spec, teacher.spec);
    if (issues.length > 0) throw invalidFields(issues, 'SPEC.INVALID');
    checkNoStart(spec.student);
  } else {
    checkStart(spec.student, teacher.spec.architecture, teacher.members);
  }
}

function givenTeacherIssues(
  spec: ExperimentSpec,
  teacher: GivenTeacherSpec | ImportedTeacherSpec,
): FieldIssue[] {
  if (teacher.kind === 'table') return tableIssues(spec, teacher.testLogits !== null, 'teacher.id');
  const known: Record<string, boolean> = {
    test: teacher.splits.includes('test'),
    'train-clean': teacher.splits.includes('train'),
  };
  return spec.evaluation.sets
    .filter((set) => known[set] === false)
    .map((set) => ({
      field: 'evaluation.sets',
      problem: `the student is compared with its teacher on \`${set}\`, and the imported stream has no logits of it: export it with them (--predictions), or leave the set out`,
    }));
}

/**
 * What a table of logits cannot do: it has one answer for each sample as it is, and none of what it was not given for.
 *
 * @param field where it says which table
 */
function tableIssues(spec: ExperimentSpec, hasTest: boolean, field: string): FieldIssue[] {
  const issues: FieldIssue[] = [];
  if (spec.view.kind !== 'table') {
    issues.push({
      field: 'view.kind',
      problem:
        'a table of logits has one answer for each sample as it is, and a sequence changes them: use kind: table, or a teacher with weights',
    });
  }
  if (!hasTest && spec.evaluation.sets.includes('test')) {
    issues.push({
      field: field === 'teacher.id' ? 'evaluation.sets' : 'teacher.testLogits',
      problem:
        'the student is compared with its teacher on `test`, of which its logits are not known: give them as testLogits, or evaluate on [train-clean] alone',
    });
  }
  return issues;
}

/** What is wrong with a teacher that is given as a table. */
function givenIssues(spec: ExperimentSpec): FieldIssue[] {
  const { teacher } = spec;
  if (!('kind' in teacher)) return [];
  const { logits, testLogits } = teacher;
  const unnamed = Object.entries({ logits, testLogits }).filter(
    ([, value]) => value !== undefined && !digestSchema.safeParse(value).success,
  );
  return [
    ...unnamed.map(([name, value]) => ({
      field: `teacher.${name}`,
      problem: `"${value ?? ''}" is no sha-256 of an uploaded file: \`fidelis run\` uploads files; else put them to /artifacts/<sha-256> of the gateway first`,
    })),
    ...tableIssues(spec, testLogits !== undefined, 'teacher'),
  ];
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
