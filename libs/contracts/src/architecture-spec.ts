import { z } from 'zod';
import { countField } from './spec-fields.js';

/** Names of the architectures; libs/models has a definition for each. */
export const ARCHITECTURES = ['lenet5', 'mlp'] as const;
export type ArchitectureName = (typeof ARCHITECTURES)[number];

export const architectureSchema = z
  .strictObject({
    name: z.enum(ARCHITECTURES).describe('Name of the architecture.'),
    hiddenUnits: z
      .array(countField)
      .min(1)
      .max(8)
      .optional()
      .describe('mlp only: units of each hidden layer.'),
  })
  .describe('The network.');
export type ArchitectureSpec = z.infer<typeof architectureSchema>;

/** In a spec, `architecture: lenet5` is short for `architecture: { name: lenet5 }`. */
export const architectureField = z.preprocess(
  (value) => (typeof value === 'string' ? { name: value } : value),
  architectureSchema,
);
