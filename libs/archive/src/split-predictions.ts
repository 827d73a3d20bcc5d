import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digestSchema, splitSchema, type Split } from '@fidelis/contracts';
import { encodeNpy, openArray } from '@fidelis/tables';
import { z } from 'zod';
import { invalidArchive, reasonOf } from './archive-error.js';
import { checkFileSize } from './shard-reader.js';

/** An entry of the manifest: float32 [rows][members][classes] in a `.npy` file, in the order of the split's ids. */
export const predictionsSchema = z.strictObject({
  file: z
    .string()
    .regex(/^predictions-(train|test)\.npy$/, 'predictions are named predictions-test.npy and so on'),
  split: splitSchema,
  rows: z.int().positive().describe('Samples of the whole split.'),
  bytes: z.int().positive(),
  sha256: digestSchema,
});
export type PredictionsEntry = z.infer<typeof predictionsSchema>;

/** The teacher's logits on a whole split, without augmentation. */
export interface SplitPredictions {
  readonly split: Split;
  /** [rows][members][classes] */
  readonly values: Float32Array;
}

interface Shape {
  readonly members: number;
  readonly classes: number;
}

/** @throws FidelisError ARCHIVE.INVALID where the values are no rows of this shape, or not all numbers */
export async function writePredictions(
  directory: string,
  { members, classes }: Shape,
  { split, values }: SplitPredictions,
): Promise<PredictionsEntry> {
  const file = `predictions-${split}.npy`;
  const rows = values.length / (members * classes);
  if (!Number.isInteger(rows) || rows === 0 || values.some(Number.isNaN)) {
    throw invalidArchive(file, `${values.length} logits are no rows of ${members}×${classes} numbers`);
  }
  const bytes = encodeNpy(values, [rows, members, classes]);
  await writeFile(path.join(directory, file), bytes, { flag: 'wx', flush: true });
  return { file, split, rows, bytes: bytes.length, sha256: sha256(bytes) };
}

/** @throws FidelisError ARCHIVE.INVALID where the file is not the one that the manifest was written about */
export async function readPredictions(
  directory: string,
  { members, classes }: Shape,
  entry: PredictionsEntry,
): Promise<SplitPredictions> {
  const file = path.join(directory, entry.file);
  await checkFileSize(directory, entry);
  const actual = sha256(await readFile(file));
  if (actual !== entry.sha256) {
    throw invalidArchive(
      file,
      `its sha-256 is ${actual}, and the manifest says ${entry.sha256}: it was damaged or changed. Copy or export it again`,
      { expected: entry.sha256, actual },
    );
  }
  const array = await openArray(file).catch((error: unknown) => {
    throw invalidArchive(file, `${reasonOf(error)}. Write it with numpy.save`, {}, error);
  });
  const expected = [entry.rows, members, classes];
  if (array.shape.join('×') !== expected.join('×')) {
    throw invalidArchive(
      file,
      `has the shape ${array.shape.join('×')}, and ${expected.join('×')} is needed. Export it again`,
    );
  }
  const values = Float32Array.from(await array.numbers());
  const wrong = values.findIndex(Number.isNaN);
  if (wrong >= 0) {
    throw invalidArchive(
      file,
      `row ${Math.floor(wrong / (members * classes))} has a logit that is not a number`,
    );
  }
  return { split: entry.split, values };
}

/** What the entries of a manifest say against one another; undefined where nothing does. */
export function predictionsProblem({
  predictions,
}: {
  readonly predictions: readonly PredictionsEntry[];
}): string | undefined {
  const splits = predictions.map(({ split }) => split);
  if (new Set(splits).size !== splits.length) return 'predictions: a split is listed twice. Export it again';
  const misnamed = predictions.find(({ file, split }) => file !== `predictions-${split}.npy`);
  return misnamed === undefined
    ? undefined
    : `predictions: ${misnamed.file} is said to be of the split ${misnamed.split}. Name it after its split`;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
