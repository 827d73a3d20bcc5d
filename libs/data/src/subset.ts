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
  const counts = countByClass(labels, classes);
  const problem = subsetProblem(spec, { samples: labels.length, classes, counts });
  if (problem !== undefined) throw invalid(problem, spec);
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
  const perClass = spec.size / classes;
  const members = idsByClass(labels, classes);
  const chosen = new Uint32Array(spec.size);
  members.forEach((ids, label) => chosen.set(choose(ids, perClass, spec.seed, label), label * perClass));
  return chosen;
}

function choosePart(available: number, spec: SplitPartSpec): Uint32Array {
  const ids = allIds(available);
  if (spec.part === 'd0+d1') return ids;
  const problem = subsetProblem(spec, { samples: available });
  if (problem !== undefined) {
    throw new FidelisError('SPEC.INVALID', `subset.ratio: ${problem}`, {
      details: { issues: [{ field: 'subset.ratio', problem }], subset: spec },
    });
  }
  const first = firstPartSize(spec, available);
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

/** What is known of the split that a subset is chosen of; what is not known is not judged. */
export interface SplitKnowledge {
  readonly samples: number;
  readonly classes?: number | undefined;
  /** Samples of each class. */
  readonly counts?: readonly number[] | undefined;
}

/** Why a subset cannot be chosen, and what could be; undefined if nothing speaks against it. */
export function subsetProblem(
  spec: SubsetSpec,
  { samples, classes, counts }: SplitKnowledge,
): string | undefined {
  if (!isSizedSubset(spec)) {
    const first = firstPartSize(spec, samples);
    const empty = spec.part !== 'd0+d1' && (first === 0 || first === samples);
    return empty ? `a ratio of ${spec.ratio} leaves a part of ${samples} samples empty` : undefined;
  }
  const { size, stratified } = spec;
  if (size > samples) return `${size} samples do not fit the split: it has ${samples}`;
  if (!stratified || classes === undefined) return undefined;
  if (size % classes !== 0) {
    const below = size - (size % classes);
    const near = [below, below + classes].filter((other) => other > 0 && other <= samples);
    const choices = [...near.map(String), '`stratified: false`'].join(', or ');
    return `${size} samples cannot be spread evenly over ${classes} classes: use ${choices}`;
  }
  if (counts === undefined) return undefined;
  const perClass = size / classes;
  const fewest = Math.min(...counts);
  if (fewest >= perClass) return undefined;
  return (
    `${size} stratified samples need ${perClass} of every class, but class ${counts.indexOf(fewest)} has ` +
    (fewest === 0
      ? 'none: use `stratified: false`'
      : `${fewest}: use at most ${fewest * classes}, or \`stratified: false\``)
  );
}

/** Samples of each class. */
export function countByClass(labels: Uint8Array | Int32Array, classes: number): number[] {
  const counts = Array.from({ length: classes }, () => 0);
  labels.forEach((label) => {
    counts[label] = (counts[label] ?? 0) + 1;
  });
  return counts;
}

function invalid(problem: string, spec: SizedSubsetSpec): FidelisError {
  return new FidelisError('SPEC.INVALID', `subset.size: ${problem}`, {
    details: { issues: [{ field: 'subset.size', problem }], subset: spec },
  });
}
