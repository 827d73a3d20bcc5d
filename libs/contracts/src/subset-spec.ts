import { z } from 'zod';
import { countField, seedField } from './spec-fields.js';

const sizedSubsetSchema = z
  .strictObject({
    size: countField.describe('Number of samples.'),
    stratified: z.boolean().default(true).describe('The same number of samples of every class.'),
    seed: seedField.default(0),
  })
  .describe('A seeded choice of samples of the split.');
export type SizedSubsetSpec = z.infer<typeof sizedSubsetSchema>;

export const SPLIT_PARTS = ['d0', 'd1', 'd0+d1'] as const;

/** Data recycling (paper, section 5.2): teachers learn from D0; students from D0, D1 or both. */
const splitPartSchema = z
  .strictObject({
    part: z.enum(SPLIT_PARTS).describe('Which part of the split; d0+d1 is all of it.'),
    ratio: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.5)
      .describe('Part of the samples that is D0, rounded down; the rest is D1.'),
    seed: seedField.default(0).describe('Equal seeds and ratios divide alike.'),
  })
  .describe('A part of the split, divided at random in two without overlap.');
export type SplitPartSpec = z.infer<typeof splitPartSchema>;

export const subsetSchema = z
  .union([sizedSubsetSchema, splitPartSchema])
  .describe('Which samples of the split: a number of them, or one of two random parts.');
export type SubsetSpec = z.infer<typeof subsetSchema>;

export function isSizedSubset(subset: SubsetSpec): subset is SizedSubsetSpec {
  return 'size' in subset;
}

/** Samples of D0 where the split has `available`. */
export function firstPartSize({ ratio }: SplitPartSpec, available: number): number {
  return Math.floor(ratio * available);
}

/** Samples that a subset takes of a split of `available`; all of them without one. */
export function subsetSize(subset: SubsetSpec | undefined, available: number): number {
  if (subset === undefined) return available;
  if (isSizedSubset(subset)) return subset.size;
  const first = firstPartSize(subset, available);
  return { d0: first, d1: available - first, 'd0+d1': available }[subset.part];
}
