import {
  FidelisError,
  firstPartSize,
  isSizedSubset,
  type SizedSubsetSpec,
  type SplitPartSpec,
  type SubsetSpec,
} from '@fidelis/contracts';
import { shuffleFront } from './permutation.js';
import { randomBelow, randomKey } from './random.js';

/** Second stream word of a choice over the whole split; a stratified one uses the class. */
const WHOLE_SPLIT = 0xffffffff;

/**
 * A seeded choice of samples. Choices of a size with one seed are nested: a larger one contains every smaller one of the same kind. The
 * two parts of a split with one seed and ratio have no sample in common, and together they have all.
 *
 * @param labels [n], each 0…classes−1
 * @returns ascending ids, `subsetSize(spec)` of them; if stratified, `size / classes` of each class
 * @throws FidelisError SPEC.INVALID if the split, or one of its classes, has too few samples, or a stratified size does not
 *   divide by the number of classes
 */
export function selectSubset(
  labels: Uint8Array | Int32Array,
  classes: number,
  spec: SubsetSpec,
): Uint32Array {
  if (!isSizedSubset(spec)) return choosePart(labels.length, spec);
  if (spec.size > labels.length) {
    throw invalid(`${spec.size} samples do not fit the split: it has ${labels.length}`, spec);
  }
  const chosen = spec.stratified
    ? chooseStratified(labels, classes, spec)
    : choose(allIds(labels.length), spec.size, spec.seed, WHOLE_SPLIT);
  return chosen.sort();
}

function chooseStratified(
  labels: Uint8Array | Int32Array,
  classes: number,
  spec: SizedSubsetSpec,
): Uint32Array {
  if (spec.size % classes !== 0) throw indivisible(spec, classes, labels.length);
  const perClass = spec.size / classes;
  const members = idsByClass(labels, classes);
  const smallest = members.reduce((a, b) => (b.length < a.length ? b : a));
  if (smallest.length < perClass) {
    throw invalid(
      `${spec.size} stratified samples need ${perClass} of every class, but class ${members.indexOf(smallest)} has ` +
        `${smallest.length}: use at most ${smallest.length * classes}, or \`stratified: false\``,
      spec,
    );
  }
  const chosen = new Uint32Array(spec.size);
  members.forEach((ids, label) => chosen.set(choose(ids, perClass, spec.seed, label), label * perClass));
  return chosen;
}

function choosePart(available: number, spec: SplitPartSpec): Uint32Array {
  const ids = allIds(available);
  if (spec.part === 'd0+d1') return ids;
  const first = firstPartSize(spec, available);
  if (first === 0 || first === available) {
    const problem = `a ratio of ${spec.ratio} leaves a part of ${available} samples empty`;
    throw new FidelisError('SPEC.INVALID', `subset.ratio: ${problem}`, {
      details: { issues: [{ field: 'subset.ratio', problem }], subset: spec },
    });
  }
  const key = randomKey(spec.seed, 'split');
  shuffleFront(ids, first, (position, bound) => randomBelow(key, [0, 0], position, bound));
  return (spec.part === 'd0' ? ids.subarray(0, first) : ids.subarray(first)).sort();
}

function choose(ids: Uint32Array, count: number, seed: number, group: number): Uint32Array {
  const key = randomKey(seed, 'subset');
  shuffleFront(ids, count, (position, bound) => randomBelow(key, [0, group], position, bound));
  return ids.subarray(0, count);
}

export function allIds(n: number): Uint32Array {
  return Uint32Array.from({ length: n }, (_, id) => id);
}

function idsByClass(labels: Uint8Array | Int32Array, classes: number): Uint32Array[] {
  const members = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, id) => members[label]?.push(id));
  return members.map((ids) => Uint32Array.from(ids));
}

function indivisible(spec: SizedSubsetSpec, classes: number, available: number): FidelisError {
  const below = spec.size - (spec.size % classes);
  const near = [below, below + classes].filter((size) => size > 0 && size <= available);
  return invalid(
    `${spec.size} samples cannot be spread evenly over ${classes} classes: use ` +
      [...near.map(String), '`stratified: false`'].join(', or '),
    spec,
  );
}

function invalid(problem: string, spec: SizedSubsetSpec): FidelisError {
  return new FidelisError('SPEC.INVALID', `subset.size: ${problem}`, {
    details: { issues: [{ field: 'subset.size', problem }], subset: spec },
  });
}
