import { createHash } from 'node:crypto';
import { canonicalJson, FidelisError, type DatasetRef, type Split } from '@fidelis/contracts';

export interface InputShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The arrays are shared by everybody in the process: read them, never write. */
export interface SplitData {
  readonly size: number;
  /** Raw bytes, [size][height][width][channels]. */
  readonly inputs: Uint8Array;
  /** [size], each 0…classes−1. */
  readonly labels: Uint8Array | Int32Array;
}

export interface Dataset {
  readonly name: string;
  /** sha-256, hexadecimal, over shape, dtype and bytes of every split. */
  readonly digest: string;
  readonly classes: number;
  /** [classes] */
  readonly classNames: readonly string[];
  readonly inputShape: InputShape;
  readonly splits: Readonly<Record<Split, SplitData>>;
}

/** Order in which the splits enter the digest. */
const SPLITS = ['train', 'test'] as const satisfies readonly Split[];

/** Values of one input: height · width · channels. */
export function inputLength(shape: InputShape): number {
  return shape.height * shape.width * shape.channels;
}

/** How messages and view specs name a dataset. */
export function datasetRef(dataset: Dataset): DatasetRef {
  return { name: dataset.name, digest: dataset.digest };
}

/**
 * A dataset of given arrays (which are kept, not copied).
 *
 * @throws FidelisError DATASET.CORRUPT if lengths do not fit the shape, or a label is not a class
 */
export function createDataset(content: Omit<Dataset, 'digest' | 'classes'>): Dataset {
  const classes = content.classNames.length;
  for (const split of SPLITS)
    assertConsistent(content.name, split, content.splits[split], content.inputShape, classes);
  return { ...content, classes, digest: digestOf(content.splits, content.inputShape) };
}

function digestOf(splits: Dataset['splits'], { height, width, channels }: InputShape): string {
  const hash = createHash('sha256');
  for (const split of SPLITS) {
    const { size, inputs, labels } = splits[split];
    const dtype = labels instanceof Uint8Array ? 'u8' : 'i32';
    hash.update(
      `${canonicalJson({ split, array: 'inputs', dtype: 'u8', shape: [size, height, width, channels] })}\n`,
    );
    hash.update(inputs);
    hash.update(`${canonicalJson({ split, array: 'labels', dtype, shape: [size] })}\n`);
    hash.update(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength));
  }
  return hash.digest('hex');
}

function assertConsistent(
  name: string,
  split: Split,
  data: SplitData,
  shape: InputShape,
  classes: number,
): void {
  const refuse = (problem: string): never => {
    throw new FidelisError('DATASET.CORRUPT', `dataset "${name}", split ${split}: ${problem}`, {
      details: { dataset: name, split },
    });
  };
  const expected = data.size * inputLength(shape);
  if (data.inputs.length !== expected)
    refuse(`${data.inputs.length} input bytes where the shape asks for ${expected}`);
  if (data.labels.length !== data.size) refuse(`${data.labels.length} labels for ${data.size} inputs`);
  const wrong = data.labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong >= 0)
    refuse(`sample ${wrong} has the label ${data.labels[wrong] ?? ''}, but there are ${classes} classes`);
}
