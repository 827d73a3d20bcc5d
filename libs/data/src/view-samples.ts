import { FidelisError, type ViewSpec } from '@fidelis/contracts';
import { inputLength, type Dataset, type SplitData } from './dataset.js';
import { scaleInto } from './scaling.js';
import { allIds, selectSubset } from './subset.js';

/** The samples that a view is made of. */
export interface ViewSamples {
  readonly split: SplitData;
  /** Ascending. */
  readonly ids: Uint32Array;
  /** Values of one input. */
  readonly length: number;
}

/**
 * @throws FidelisError DATASET.MISMATCH if the spec is about another dataset, or other bytes, than this one; SPEC.INVALID if
 *   its subset cannot be chosen
 */
export function viewSamples(dataset: Dataset, spec: ViewSpec): ViewSamples {
  if (spec.dataset.name !== dataset.name || spec.dataset.digest !== dataset.digest) {
    throw new FidelisError(
      'DATASET.MISMATCH',
      `the view is over dataset "${spec.dataset.name}" with digest ${spec.dataset.digest}, ` +
        `but "${dataset.name}" with digest ${dataset.digest} is loaded: use the same data on both sides`,
      { details: { expected: spec.dataset, actual: { name: dataset.name, digest: dataset.digest } } },
    );
  }
  const split = dataset.splits[spec.split];
  const ids =
    spec.subset === undefined ? allIds(split.size) : selectSubset(split.labels, dataset.classes, spec.subset);
  if (ids.length === 0) {
    throw new FidelisError('SPEC.INVALID', `split ${spec.split} of dataset "${dataset.name}" has no samples`);
  }
  return { split, ids, length: inputLength(dataset.inputShape) };
}

/** Bytes of one sample: a window on the dataset, not a copy. */
export function sampleBytes({ split, length }: ViewSamples, id: number): Uint8Array {
  if (id >= split.size) {
    throw new FidelisError('REQUEST.INVALID', `there is no sample ${id}: the split has ${split.size}`);
  }
  return split.inputs.subarray(id * length, (id + 1) * length);
}

/** [rows][height][width][channels] without augmentation, scaled to [−1, 1]. */
export function cleanInputs(samples: ViewSamples, ids: Uint32Array): Float32Array {
  const inputs = new Float32Array(ids.length * samples.length);
  ids.forEach((id, row) => scaleInto(sampleBytes(samples, id), inputs, row * samples.length));
  return inputs;
}

/** [rows] */
export function labelsOf({ split }: ViewSamples, ids: Uint32Array): Int32Array {
  return Int32Array.from(ids, (id) => {
    const label = split.labels[id];
    if (label === undefined) {
      throw new FidelisError('REQUEST.INVALID', `there is no sample ${id}: the split has ${split.size}`);
    }
    return label;
  });
}
