import {
  isSizedSubset,
  subsetSize,
  viewAugmentation,
  type ExperimentSpec,
  type FieldIssue,
  type ScheduleSpec,
  type SubsetSpec,
} from '@fidelis/contracts';
import type { DatasetInfo } from './catalogue.js';
import { inputDimensions, isImageShape, type InputShape } from './dataset.js';
import { subsetProblem } from './subset.js';

/** What of a dataset a spec can be held to; what is not known is not judged. */
export type CheckedDataset = Pick<DatasetInfo, 'name' | 'splits'> &
  Partial<Pick<DatasetInfo, 'classes' | 'inputShape'>> & {
    /** Training samples of each class. */
    readonly trainCounts?: readonly number[] | undefined;
  };

interface Training {
  /** Where the recipe stands in the spec. */
  readonly at: 'teacher.train' | 'student';
  /** Where its subset does. */
  readonly subsetAt: 'teacher.train.subset' | 'view.subset';
  readonly subset: SubsetSpec | undefined;
  /** Samples of other datasets that join the subset. */
  readonly joined: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly schedule: ScheduleSpec;
}

/**
 * What can be said against a spec from its datasets' names, shapes and sizes, before anything of it is done. Everybody who takes a spec asks
 * this: whoever reads the file, and whoever starts the run.
 *
 * @param find undefined for a dataset that nothing is known of
 */
export function experimentIssues(
  spec: ExperimentSpec,
  find: (name: string) => CheckedDataset | undefined,
): FieldIssue[] {
  const dataset = find(spec.dataset);
  return [
    ...trainingsOf(spec).flatMap((training) => [
      ...warmUpIssues(training),
      ...(dataset === undefined ? [] : sizeIssues(training, dataset)),
    ]),
    ...lossIssues(spec),
    ...(dataset === undefined
      ? []
      : [...augmentationIssues(spec, dataset), ...otherIssues(spec, dataset, find)]),
  ];
}

/** Whether a spec asks for the samples of each class to be counted: a subset of equal numbers. */
export function asksForClasses(spec: ExperimentSpec): boolean {
  return trainingsOf(spec).some(
    ({ subset }) => subset !== undefined && isSizedSubset(subset) && subset.stratified,
  );
}

function trainingsOf({ teacher, student, view }: ExperimentSpec): Training[] {
  const joined = view.kind === 'sequence' ? (view.append?.size ?? 0) : 0;
  return [
    ...('id' in teacher || 'kind' in teacher
      ? []
      : [
          {
            at: 'teacher.train',
            subsetAt: 'teacher.train.subset',
            joined: 0,
            ...{ subset: undefined, ...teacher.train },
          } as const,
        ]),
    { at: 'student', subsetAt: 'view.subset', subset: view.subset, joined, ...student },
  ];
}

function warmUpIssues({ at, epochs, schedule }: Training): FieldIssue[] {
  return warmUpIssue(`${at}.schedule.warmUpEpochs`, schedule.warmUpEpochs, epochs);
}

function lossIssues({ student: { loss, epochs } }: ExperimentSpec): FieldIssue[] {
  return loss.kind === 'dkd' ? warmUpIssue('student.loss.warmUpEpochs', loss.warmUpEpochs, epochs) : [];
}

function warmUpIssue(field: string, warmUp: number | undefined, epochs: number): FieldIssue[] {
  if (warmUp === undefined || warmUp <= epochs) return [];
  const problem = `a warm-up of ${warmUp} epochs is longer than the whole training of ${epochs}: it would never end`;
  return [{ field, problem }];
}

function sizeIssues(
  { at, subsetAt, subset, joined, batchSize }: Training,
  { splits, classes, trainCounts }: CheckedDataset,
): FieldIssue[] {
  const samples = splits.train;
  if (subset !== undefined) {
    const problem = subsetProblem(subset, { samples, classes, counts: trainCounts });
    const field = `${subsetAt}.${isSizedSubset(subset) ? 'size' : 'ratio'}`;
    if (problem !== undefined) return [{ field, problem }];
  }
  const there = subsetSize(subset, samples) + joined;
  if (batchSize <= there) return [];
  return [
    {
      field: `${at}.batchSize`,
      problem: `a batch of ${batchSize} is larger than the ${there} samples there`,
    },
  ];
}

function augmentationIssues(
  { teacher, view }: ExperimentSpec,
  { name, inputShape }: CheckedDataset,
): FieldIssue[] {
  if (inputShape === undefined || isImageShape(inputShape)) return [];
  const changed: readonly (readonly [string, boolean])[] = [
    ['view', view.kind === 'sequence' && viewAugmentation(view).length > 0],
    [
      'teacher.train',
      'train' in teacher &&
        (teacher.train.policy !== undefined || (teacher.train.augmentation ?? []).length > 0),
    ],
  ];
  return changed
    .filter(([, is]) => is)
    .map(([field]) => ({
      field,
      problem: `${name} has texts, and augmentations are of images: leave them out`,
    }));
}

/** Samples of another dataset are of this one's shape, and as many as it has. */
function otherIssues(
  { view }: ExperimentSpec,
  { name, inputShape }: CheckedDataset,
  find: (name: string) => CheckedDataset | undefined,
): FieldIssue[] {
  if (view.kind === 'table') return [];
  return (['append', 'synthetic'] as const).flatMap((field): FieldIssue[] => {
    const source = view[field];
    const other = source === undefined ? undefined : find(source.dataset);
    if (source === undefined || other === undefined) return [];
    if (inputShape !== undefined && other.inputShape !== undefined && !alike(inputShape, other.inputShape)) {
      const problem =
        `inputs of ${other.name} are ${shapeText(other.inputShape)}, those of ${name} ${shapeText(inputShape)}: ` +
        'add it again with `fidelis data add --resize`';
      return [{ field: `view.${field}.dataset`, problem }];
    }
    const available = other.splits[source.split];
    if (!('size' in source) || source.size <= available) return [];
    const problem = `${source.size} samples are more than the ${available} of ${other.name}`;
    return [{ field: `view.${field}.size`, problem }];
  });
}

function alike(a: InputShape, b: InputShape): boolean {
  return isImageShape(a) === isImageShape(b) && shapeText(a) === shapeText(b);
}

function shapeText(shape: InputShape): string {
  const text = inputDimensions(shape).join('×');
  return isImageShape(shape) ? text : `texts of ${text} words`;
}
