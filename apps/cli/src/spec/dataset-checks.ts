import { nearestName } from '@fidelis/data';
import { valueAt, type FieldPath } from './schema-lookup.js';
import type { SpecIssue } from './spec-issues.js';

/** What a spec is checked against; @fidelis/data's catalogue is one. */
export interface KnownDataset {
  readonly name: string;
  readonly splits: { readonly train: number; readonly test: number };
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
export function datasetIssues(data: unknown, known: readonly KnownDataset[]): SpecIssue[] {
  const name = valueAt(data, ['dataset']);
  if (typeof name !== 'string' || name === '') return [];
  const unknown = DATASETS.flatMap((path) => unknownDataset(path, valueAt(data, path), known));
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

function unknownDataset(path: FieldPath, name: unknown, known: readonly KnownDataset[]): SpecIssue[] {
  const names = known.map((dataset) => dataset.name);
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
