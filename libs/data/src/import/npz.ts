import type { Split } from '@fidelis/contracts';
import type { SplitData } from '../dataset.js';
import { compactLabels, refused, type ImportedContent, type ImportOptions } from './import-types.js';

const DEFAULT_ARRAYS = {
  trainInputs: 'x_train',
  trainLabels: 'y_train',
  testInputs: 'x_test',
  testLabels: 'y_test',
} as const;

interface Images {
  readonly size: number;
  readonly shape: readonly [number, number, number];
  readonly inputs: Uint8Array;
}

/**
 * Images as bytes, N×H×W×C or N×H×W, and labels as whole numbers, in four arrays of a `.npz`.
 *
 * @throws FidelisError REQUEST.INVALID naming the array
 */
export async function importNpz(source: string, options: ImportOptions): Promise<ImportedContent> {
  const names = options.arrays ?? DEFAULT_ARRAYS;
  const images = {
    train: await readImages(source, names.trainInputs),
    test: await readImages(source, names.testInputs),
  };
  const [height, width, channels] = images.train.shape;
  if (images.test.shape.join() !== images.train.shape.join()) {
    throw refused(
      `${source}: ${names.testInputs} has images of ${images.test.shape.join('×')}, ${names.trainInputs} of ${images.train.shape.join('×')}`,
    );
  }
  const labels = {
    train: await readLabels(source, names.trainLabels, images.train.size),
    test: await readLabels(source, names.testLabels, images.test.size),
  };
  const classes =
    Math.max(...[labels.train, labels.test].map((values) => values.reduce((a, b) => Math.max(a, b), 0))) + 1;
  const split = (name: Split): SplitData => ({
    size: images[name].size,
    inputs: images[name].inputs,
    labels: compactLabels(labels[name], classes),
  });
  return {
    classNames: Array.from({ length: classes }, (_, label) => String(label)),
    inputShape: { height, width, channels },
    splits: { train: split('train'), test: split('test') },
    text: {
      title: 'arrays',
      description: 'Images from NumPy arrays.',
      license: 'not stated',
      source: 'a .npz archive',
    },
  };
}

async function readImages(source: string, member: string): Promise<Images> {
  // Loaded where it is needed: the services that load this library do not read tables.
  const { openArray } = await import('@fidelis/tables');
  const array = await openArray(source, member);
  const [size = 0, height = 0, width = 0, channels = 1] = array.shape;
  const shapeText = array.shape.join('×');
  if (array.shape.length !== 3 && array.shape.length !== 4) {
    throw refused(`${array.name} has the shape ${shapeText}: images are N×H×W×C or N×H×W`);
  }
  if (channels !== 1 && channels !== 3) {
    const hint =
      height === 1 || height === 3 ? '. It looks like N×C×H×W: write array.transpose(0, 2, 3, 1)' : '';
    throw refused(
      `${array.name} has the shape ${shapeText}: images have 1 or 3 channels, as the last axis${hint}`,
    );
  }
  if (array.dtype !== 'uint8') {
    throw refused(
      `${array.name} has the type ${array.dtype}: images are bytes, 0 to 255. Convert it: array.astype("uint8")`,
    );
  }
  return { size, shape: [height, width, channels], inputs: await array.bytes() };
}

async function readLabels(source: string, member: string, size: number): Promise<number[]> {
  const { openArray } = await import('@fidelis/tables');
  const array = await openArray(source, member);
  const values = await array.numbers();
  if (values.length !== size || array.shape[0] !== size) {
    throw refused(`${array.name} has the shape ${array.shape.join('×')}, and there are ${size} images`);
  }
  const wrong = values.findIndex((label) => !Number.isInteger(label) || label < 0 || label > 0xffff);
  if (wrong >= 0) {
    throw refused(
      `${array.name}: label ${values[wrong] ?? ''} of sample ${wrong} is not a whole number from 0 on`,
    );
  }
  return Array.from(values);
}
