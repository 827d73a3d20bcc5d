import { z } from 'zod';
import { countField, seedField } from './spec-fields.js';

export const subsetSchema = z
  .strictObject({
    size: countField.describe('Number of samples.'),
    stratified: z.boolean().default(true).describe('The same number of samples of every class.'),
    seed: seedField.default(0),
  })
  .describe('A seeded choice of samples of the split.');
export type SubsetSpec = z.infer<typeof subsetSchema>;
