import { createHash } from 'node:crypto';
import { canonicalJson, FidelisError, type DatasetRef, type Split } from '@fidelis/contracts';

export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A text: numbers of words, padded at the end with 0, which is no word. */
export interface TokenShape {
  /** Tokens of every input, padding included. */
  readonly length: number;
  /** Words, padding included: each token is 0…vocabulary−1. */
  readonly vocabulary: number;
}

/** What one input of a dataset looks like. */
export type InputShape = ImageShape | TokenShape;

export function isImageShape(shape: InputShape): shape is ImageShape {
  return 'channels' in shape;
}

/** Axes of one input as a model takes it: [height, width, channels] or [length]. */
export function inputDimensions(shape: InputShape): readonly number[] {
  return isImageShape(shape) ? [shape.height, shape.width, shape.channels] : [shape.length];
}

/** The arrays are shared by everybody in the process: read them, never write. */
export interface SplitData {
  readonly size: number;
  /** Of images bytes, [size][height][width][channels]; of texts numbers of words, [size][length]. */
  readonly inputs: Uint8Array | Uint16Array;
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

/** Values of one input: height · width · channels, or tokens. */
export function inputLength(shape: InputShape): number {
  return inputDimensions(shape).reduce((product, length) => product * length, 1);
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

function digestOf(splits: Dataset['splits'], inputShape: InputShape): string {
  const hash = createHash('sha256');
  for (const split of SPLITS) {
    const { size, inputs, labels } = splits[split];
    const dtype = labels instanceof Uint8Array ? 'u8' : 'i32';
    const inputType = inputs instanceof Uint8Array ? 'u8' : 'u16';
    hash.update(
      `${canonicalJson({ split, array: 'inputs', dtype: inputType, shape: [size, ...inputDimensions(inputShape)] })}\n`,
    );
    hash.update(new Uint8Array(inputs.buffer, inputs.byteOffset, inputs.byteLength));
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
    refuse(`${data.inputs.length} input values where the shape asks for ${expected}`);
  if (isImageShape(shape) && !(data.inputs instanceof Uint8Array)) refuse('images of 16 bits');
  if (!isImageShape(shape)) {
    const { vocabulary } = shape;
    const word = data.inputs.findIndex((token) => token >= vocabulary);
    if (word >= 0) refuse(`word number ${data.inputs[word] ?? ''}, but there are ${vocabulary} words`);
  }
  if (data.labels.length !== data.size) refuse(`${data.labels.length} labels for ${data.size} inputs`);
  const wrong = data.labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong >= 0)
    refuse(`sample ${wrong} has the label ${data.labels[wrong] ?? ''}, but there are ${classes} classes`);
}
