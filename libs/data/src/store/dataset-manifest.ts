import { readFileSync } from 'node:fs';
import path from 'node:path';
import { digestSchema, FidelisError } from '@fidelis/contracts';
import { z } from 'zod';

export const MANIFEST_FILE = 'manifest.json';

/** Directory, spec field and file name at once. */
export const DATASET_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

const count = z.int().min(0);
const extent = z.int().positive();

const arraySchema = z.strictObject({
  file: z.string().regex(/^[a-z-]+\.bin$/),
  type: z.enum(['u8', 'u16', 'i32']),
  bytes: count,
  sha256: digestSchema,
});
export type StoredArray = z.infer<typeof arraySchema>;

const storedSplitSchema = z.strictObject({ size: count, inputs: arraySchema, labels: arraySchema });

/** What a dataset directory says of itself. The arrays beside it are raw, little-endian, in C order. */
const manifestSchema = z.strictObject({
  format: z.literal('fidelis-dataset'),
  version: z.literal(1),
  name: z.string().regex(DATASET_NAME),
  title: z.string(),
  description: z.string(),
  license: z.string(),
  source: z.string(),
  /** Of the dataset: what view specs name. */
  digest: digestSchema,
  classNames: z.array(z.string()).min(1),
  inputShape: z.union([
    z.strictObject({ height: extent, width: extent, channels: extent }),
    z.strictObject({ length: extent, vocabulary: extent }),
  ]),
  splits: z.strictObject({ train: storedSplitSchema, test: storedSplitSchema }),
});
export type DatasetManifest = z.infer<typeof manifestSchema>;

/**
 * The manifest of a dataset directory.
 *
 * @throws FidelisError DATASET.CORRUPT naming the file
 */
export function readManifest(directory: string): DatasetManifest {
  const file = path.join(directory, MANIFEST_FILE);
  let problem: string;
  let cause: unknown;
  try {
    const result = manifestSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (result.success) return result.data;
    problem = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    cause = result.error;
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
    cause = error;
  }
  throw new FidelisError(
    'DATASET.CORRUPT',
    `${file} is not the manifest of a dataset (${problem}): remove the directory and add the dataset again`,
    { details: { file }, cause },
  );
}
