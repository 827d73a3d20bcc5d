import { openArray } from './array-file.js';
import { requireTable } from './table-error.js';

export interface LogitTable {
  readonly members: number;
  /** [rows][members][classes] */
  readonly values: Float32Array<ArrayBuffer>;
  /** Whether every row is positive and sums to 1: then somebody has most likely stored probabilities. */
  readonly looksLikeProbabilities: boolean;
}

/** Far more than rounding to float16 moves a sum of probabilities by. */
const SUM_TOLERANCE = 0.01;

/**
 * What some framework says of every sample of a split: a `.npy` file, (rows, classes) or (rows, members, classes), of floats.
 *
 * @throws FidelisError REQUEST.INVALID about the file: not readable, other rows or classes, no floats, a value that is not finite (in float32)
 */
export async function readLogits(
  path: string,
  { rows, classes }: { readonly rows: number; readonly classes: number },
): Promise<LogitTable> {
  const array = await openArray(path);
  const { shape, dtype } = array;
  requireTable(
    dtype.startsWith('float'),
    path,
    `has the type ${dtype}, and logits are floats. Write float16, float32 or float64`,
  );
  const members = shape.length === 2 ? 1 : (shape[1] ?? 0);
  requireTable(
    (shape.length === 2 || shape.length === 3) && members > 0,
    path,
    `has the shape (${shape.join(', ')}), and logits are (samples, classes) or (samples, members, classes)`,
  );
  requireTable(
    shape[0] === rows,
    path,
    `has ${shape[0] ?? 0} rows, and the split has ${rows} samples. Write a row for each, in the order of their ids`,
  );
  requireTable(
    shape.at(-1) === classes,
    path,
    `has ${shape.at(-1) ?? 0} classes, and the dataset has ${classes}. Write a column for each, in the order of its classes`,
  );
  const values = Float32Array.from(await array.numbers());
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  requireTable(
    wrong < 0,
    path,
    `row ${Math.floor(wrong / (members * classes))} has the logit ${values[wrong] ?? 0} for class ${wrong % classes}. Nothing can be learned from it: look at what wrote it`,
  );
  return { members, values, looksLikeProbabilities: areProbabilities(values, classes) };
}

function areProbabilities(values: Float32Array, classes: number): boolean {
  for (let from = 0; from < values.length; from += classes) {
    let sum = 0;
    for (let index = from; index < from + classes; index++) {
      const value = values[index] ?? 0;
      if (value < 0) return false;
      sum += value;
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) return false;
  }
  return true;
}
