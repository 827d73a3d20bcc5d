import { FidelisError, type DatasetRef, type SequenceViewSpec, type ViewSpec } from '@fidelis/contracts';
import { inputDimensions, inputLength, isImageShape, type Dataset, type SplitData } from './dataset.js';
import { inputValues, type InputRoom } from './input-room.js';
import { scaleInto } from './scaling.js';
import { allIds, selectSubset } from './subset.js';

/** One array that a view takes samples from. Its samples follow those of the array before it in the view's numbering. */
export interface SampleSource {
  readonly split: SplitData;
  /** Of its first sample. */
  readonly firstId: number;
  /** Whether its labels are classes of the view. */
  readonly labelled: boolean;
}

/** The samples that a view is made of. */
export interface ViewSamples {
  /** The view's own split, and what it was joined by. */
  readonly sources: readonly SampleSource[];
  /** Ascending. */
  readonly ids: Uint32Array;
  /** Values of one input. */
  readonly length: number;
  /** Texts are numbers of words and stay what they are. */
  readonly scaled: boolean;
}

/** In place of a label that says nothing: no class has this number. */
export const NO_LABEL = -1;

/**
 * @throws FidelisError DATASET.MISMATCH if the spec is about another dataset, or other bytes, than this one; SPEC.INVALID if
 *   its subset cannot be chosen
 */
export function viewSamples(dataset: Dataset, spec: ViewSpec): ViewSamples {
  assertSame(spec.dataset, dataset);
  const split = dataset.splits[spec.split];
  const ids =
    spec.subset === undefined ? allIds(split.size) : selectSubset(split.labels, dataset.classes, spec.subset);
  if (ids.length === 0) {
    throw new FidelisError('SPEC.INVALID', `split ${spec.split} of dataset "${dataset.name}" has no samples`);
  }
  return {
    sources: [{ split, firstId: 0, labelled: true }],
    ids,
    length: inputLength(dataset.inputShape),
    scaled: isImageShape(dataset.inputShape),
  };
}

/**
 * The samples with those of another dataset after them.
 *
 * @throws FidelisError DATASET.MISMATCH, SPEC.INVALID
 */
export function appendSamples(
  samples: ViewSamples,
  own: Dataset,
  other: Dataset,
  append: NonNullable<SequenceViewSpec['append']>,
): ViewSamples {
  const joined = addSource(samples, own, other, append, 'append');
  const { split, firstId } = joined.source;
  if (append.size > split.size) {
    const problem = `${append.size} samples do not fit split ${append.split} of "${other.name}": it has ${split.size}`;
    throw new FidelisError('SPEC.INVALID', `append.size: ${problem}`, {
      details: { issues: [{ field: 'append.size', problem }] },
    });
  }
  const chosen = selectSubset(split.labels, other.classes, {
    size: append.size,
    stratified: false,
    seed: append.seed,
  });
  const ids = new Uint32Array(samples.ids.length + chosen.length);
  ids.set(samples.ids);
  ids.set(
    chosen.map((id) => id + firstId),
    samples.ids.length,
  );
  return { ...joined.samples, ids };
}

/**
 * The samples, and where another dataset's begin, none of which is chosen.
 *
 * @throws FidelisError DATASET.MISMATCH, SPEC.INVALID
 */
export function addSource(
  samples: ViewSamples,
  own: Dataset,
  other: Dataset,
  spec: { readonly dataset: DatasetRef; readonly split: 'train' | 'test' },
  field: 'append' | 'synthetic',
): { readonly samples: ViewSamples; readonly source: SampleSource } {
  assertSame(spec.dataset, other);
  const [expected, actual] = [own, other].map(({ inputShape }) => inputDimensions(inputShape).join('×'));
  if (expected !== actual || isImageShape(own.inputShape) !== isImageShape(other.inputShape)) {
    throw new FidelisError(
      'SPEC.INVALID',
      `${field}.dataset: inputs of "${other.name}" are ${actual ?? ''}, those of "${own.name}" ${expected ?? ''}: add it again with \`fidelis data add --resize\``,
      { details: { field: `${field}.dataset`, expected, actual } },
    );
  }
  const split = other.splits[spec.split];
  const firstId = samples.sources.reduce((sum, source) => sum + source.split.size, 0);
  const source = { split, firstId, labelled: false };
  return { samples: { ...samples, sources: [...samples.sources, source] }, source };
}

function assertSame(expected: DatasetRef, { name, digest }: Dataset): void {
  if (expected.name === name && expected.digest === digest) return;
  throw new FidelisError(
    'DATASET.MISMATCH',
    `the view is over dataset "${expected.name}" with digest ${expected.digest}, ` +
      `but "${name}" with digest ${digest} is loaded: use the same data on both sides`,
    { details: { expected, actual: { name, digest } } },
  );
}

function sourceOf({ sources }: ViewSamples, id: number): { source: SampleSource; index: number } {
  for (const source of sources) {
    const index = id - source.firstId;
    if (index < source.split.size) return { source, index };
  }
  const size = sources.reduce((sum, { split }) => sum + split.size, 0);
  throw new FidelisError('REQUEST.INVALID', `there is no sample ${id}: the view has ${size} to choose from`);
}

/** Values of one sample: a window on the dataset, not a copy. */
export function sampleValues(samples: ViewSamples, id: number): Uint8Array | Uint16Array {
  const { source, index } = sourceOf(samples, id);
  return source.split.inputs.subarray(index * samples.length, (index + 1) * samples.length);
}

/** Writes values as the network sees them to `target` from `offset` on: images scaled to [−1, 1], texts as they are. */
export function writeInput(
  { scaled }: ViewSamples,
  values: Uint8Array | Uint16Array,
  target: Float32Array,
  offset: number,
): void {
  if (scaled) scaleInto(values, target, offset);
  else target.set(values, offset);
}

/** [rows][height][width][channels] without augmentation, scaled to [−1, 1]; or [rows][length], numbers of words. */
export function cleanInputs(samples: ViewSamples, ids: Uint32Array, room?: InputRoom): Float32Array {
  const inputs = inputValues(ids.length * samples.length, room);
  ids.forEach((id, row) => writeInput(samples, sampleValues(samples, id), inputs, row * samples.length));
  return inputs;
}

/** [rows]; NO_LABEL for samples of another dataset. */
export function labelsOf(samples: ViewSamples, ids: Uint32Array): Int32Array {
  return Int32Array.from(ids, (id) => {
    const { source, index } = sourceOf(samples, id);
    return source.labelled ? (source.split.labels[index] ?? NO_LABEL) : NO_LABEL;
  });
}
