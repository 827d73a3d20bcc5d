import { z } from 'zod';
import { countField } from './spec-fields.js';

/** Names of the architectures; libs/models has a definition for each. */
export const ARCHITECTURES = [
  'lenet5',
  'mlp',
  'preresnet20',
  'preresnet56',
  'preresnet110',
  'vgg16',
  'resnet50',
  'bilstm',
] as const;
export type ArchitectureName = (typeof ARCHITECTURES)[number];

/** How a network normalises between its layers. */
export const NORMS = ['batch', 'layer'] as const;
export type Norm = (typeof NORMS)[number];

export const architectureSchema = z
  .strictObject({
    name: z.enum(ARCHITECTURES).describe('Name of the architecture.'),
    hiddenUnits: z
      .array(countField)
      .min(1)
      .max(8)
      .optional()
      .describe('mlp only: units of each hidden layer.'),
    norm: z
      .enum(NORMS)
      .optional()
      .describe(
        'preresnet20, preresnet56 and preresnet110 only: normalise by the batch (the default), or each image by itself (group normalisation with one group).',
      ),
  })
  .describe('The network.');
export type ArchitectureSpec = z.infer<typeof architectureSchema>;

/** In a spec, `architecture: lenet5` is short for `architecture: { name: lenet5 }`. */
export const architectureField = z.preprocess(
  (value) => (typeof value === 'string' ? { name: value } : value),
  architectureSchema,
);
