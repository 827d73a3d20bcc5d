import type { ExperimentSpec } from '@fidelis/contracts';
import {
  asksForClasses,
  classCounts,
  experimentIssues,
  nearestName,
  type CheckedDataset,
} from '@fidelis/data';
import { valueAt, type FieldPath } from './schema-lookup.js';
import { serviceIssues, type SpecIssue } from './spec-issues.js';

/** @fidelis/data's catalogue has such. */
export type KnownDataset = CheckedDataset;

/** What a spec is checked against. */
export interface DatasetKnowledge {
  readonly known: readonly KnownDataset[];
  /** Names of which nothing else is known; what they name is not judged here. */
  readonly unjudged?: readonly string[];
  /** There may be others: an unknown name is for whoever has them to refuse. */
  readonly othersMayBe?: boolean;
}

const SUBSET_SIZES: readonly FieldPath[] = [
  ['teacher', 'train', 'subset', 'size'],
  ['view', 'subset', 'size'],
];

/** The experiment's, and those that a view draws on. */
const DATASETS: readonly FieldPath[] = [
  ['dataset'],
  ['view', 'append', 'dataset'],
  ['view', 'synthetic', 'dataset'],
];

/** What the schema cannot know: which datasets there are, and how large their training splits are. */
export function datasetIssues(
  data: unknown,
  { known, unjudged = [], othersMayBe = false }: DatasetKnowledge,
): SpecIssue[] {
  const name = valueAt(data, ['dataset']);
  if (typeof name !== 'string' || name === '') return [];
  const names = [...known.map((each) => each.name), ...unjudged];
  const unknown = othersMayBe
    ? []
    : DATASETS.flatMap((path) => unknownDataset(path, valueAt(data, path), names));
  const dataset = known.find((candidate) => candidate.name === name);
  if (dataset === undefined) return unknown;
  const sizes = SUBSET_SIZES.flatMap((path): SpecIssue[] => {
    const size = valueAt(data, path);
    if (typeof size !== 'number' || size <= dataset.splits.train) return [];
    return [
      {
        code: 'SPEC.INVALID',
        path,
        kind: 'value',
        problem: `${name} has only ${dataset.splits.train} training samples`,
        expected: `a whole number from 1 to ${dataset.splits.train}`,
      },
    ];
  });
  return [...unknown, ...sizes];
}

/** What a service has against a dataset that it does not know, by the fields that name it. */
export function refusedDatasetIssues(data: unknown, name: string, problem: string): SpecIssue[] {
  return DATASETS.filter((path) => valueAt(data, path) === name).map((path) => ({
    code: 'DATASET.UNKNOWN',
    path,
    kind: 'value',
    problem,
  }));
}

/** What speaks against a spec whose fields are all allowed, as far as its datasets are known. */
export function experimentProblems(spec: ExperimentSpec, { known }: DatasetKnowledge): SpecIssue[] {
  const issues = experimentIssues(spec, (name) => known.find((dataset) => dataset.name === name));
  return serviceIssues(issues, 'SPEC.INVALID');
}

/**
 * The same knowledge, and how many samples each class of the spec's dataset has, if that matters to the spec. Of data that cannot be read here
 * that is left to the service.
 */
export async function withClassCounts(
  spec: ExperimentSpec,
  knowledge: DatasetKnowledge,
): Promise<DatasetKnowledge> {
  const { known } = knowledge;
  if (!asksForClasses(spec) || !known.some(({ name }) => name === spec.dataset)) return knowledge;
  const trainCounts = await classCounts(spec.dataset, 'train').catch(() => undefined);
  return {
    ...knowledge,
    known: known.map((dataset) => (dataset.name === spec.dataset ? { ...dataset, trainCounts } : dataset)),
  };
}

function unknownDataset(path: FieldPath, name: unknown, names: readonly string[]): SpecIssue[] {
  if (typeof name !== 'string' || names.includes(name)) return [];
  return [
    {
      code: 'DATASET.UNKNOWN',
      path,
      kind: 'value',
      problem: `there is no dataset "${name}"`,
      expected: `one of ${names.join(', ')}`,
      suggestion: nearestName(name, names),
    },
  ];
}
