import { z } from 'zod';
import { augmentationSchema } from './augmentation-spec.js';
import { subsetSchema } from './subset-spec.js';

export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a sha-256 digest has 64 hexadecimal digits');

export const datasetRefSchema = z.strictObject({ name: z.string(), digest: digestSchema });
export type DatasetRef = z.infer<typeof datasetRefSchema>;

export const splitSchema = z.enum(['train', 'test']);
export type Split = z.infer<typeof splitSchema>;

const viewBase = {
  dataset: datasetRefSchema,
  split: splitSchema,
  subset: subsetSchema.optional(),
};

/** Each sample has one form; order and batch size are not part of it. Ids are in canonical (ascending) order. */
export const tableViewSchema = z.strictObject({ kind: z.literal('table'), ...viewBase });
export type TableViewSpec = z.infer<typeof tableViewSchema>;

/** `batch(step)` is a pure function: same spec, same step, same bytes, on any machine. */
export const sequenceViewSchema = z.strictObject({
  kind: z.literal('sequence'),
  ...viewBase,
  augmentation: z.array(augmentationSchema),
  seed: z.int().min(0).max(0xffffffff),
  batchSize: z.int().positive(),
});
export type SequenceViewSpec = z.infer<typeof sequenceViewSchema>;

export const viewSpecSchema = z.discriminatedUnion('kind', [tableViewSchema, sequenceViewSchema]);
export type ViewSpec = z.infer<typeof viewSpecSchema>;

/** Rows of one chunk of a table, hence of one frame. Part of the contract: both ends hash the same rows. */
export const TABLE_CHUNK_ROWS = 1_024;
