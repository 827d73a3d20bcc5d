import { z } from 'zod';
import { fractionField } from './spec-fields.js';

export const lossSchema = z.strictObject({
  kind: z.enum(['kd']).default('kd'),
  temperature: z.number().positive().default(4).describe('τ of both softmaxes; the KD term carries τ².'),
  alpha: fractionField.default(0).describe('α·NLL(labels) + (1−α)·KD; 0 is the paper: no labels.'),
});
export type LossSpec = z.infer<typeof lossSchema>;
