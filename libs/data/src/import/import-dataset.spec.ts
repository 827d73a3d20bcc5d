import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { FidelisError } from '@fidelis/contracts';
import { encode } from 'fast-png';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  datasetCatalogue,
  datasetInfo,
  datasetRefOf,
  loadDataset,
  useDatasetDirectory,
  verifyDataset,
} from '../catalogue.js';
import type { Dataset } from '../dataset.js';
import { removeStored } from '../store/dataset-store.js';
import { CIFAR10, importCifar } from './cifar.js';
import { addDataset, type AddDatasetOptions } from './import-dataset.js';

let work: string;
let store: string;

beforeEach(async () => {
  work = await mkdtemp(path.join(os.tmpdir(), 'fidelis-import-'));
  store = path.join(work, 'store');
  useDatasetDirectory(store);
});

afterEach(async () => {
  useDatasetDirectory(undefined);
  await rm(work, { recursive: true });
});

/** A grey or colour PNG whose bytes count from `start` on. */
function png(height: number, width: number, channels: 1 | 3, start = 0): Uint8Array {
  const data = Uint8Array.from({ length: height * width * channels }, (_, i) => (start + i) % 256);
  return encode({ height, width, channels, data });
}

/** A JPEG of 8×8 grey pixels of 128, from the standard's tables of one symbol each. */
const GREY_JPEG = Buffer.from(
  'ffd8ffdb004300' +
    '01'.repeat(64) +
    'ffc0000b080008000801011100' +
    'ffc40014000100000000000000000000000000000000' +
    'ffc40014100100000000000000000000000000000000' +
    'ffda0008010100003f003fffd9',
  'hex',
);

type Files = Readonly<Record<string, Uint8Array | string>>;

const IMAGES: Files = {
  'train/cat/1.png': png(2, 3, 3, 10),
  'train/cat/2.png': png(2, 3, 3, 30),
  'train/ant/1.png': png(2, 3, 3, 50),
  'test/ant/1.png': png(2, 3, 3, 70),
  'test/cat/1.png': png(2, 3, 3, 90),
};

async function folder(files: Files, name = 'source'): Promise<string> {
  const root = path.join(work, name);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), content);
  }
  return root;
}

async function archive(files: Files, name: string): Promise<string> {
  const tar = pack();
  for (const [file, content] of Object.entries(files).reverse())
    tar.entry({ name: file }, Buffer.from(content));
  tar.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of tar) pieces.push(piece as Buffer);
  const bytes = Buffer.concat(pieces);
  const target = path.join(work, name);
  await writeFile(target, name.endsWith('.gz') ? gzipSync(bytes) : bytes);
  return target;
}

async function added(source: string, options: Partial<AddDatasetOptions> = {}): Promise<Dataset> {
  const name = options.name ?? 'mine';
  await addDataset(store, source, { ...options, name });
  return loadDataset(name);
}

async function refusal(promise: Promise<unknown>): Promise<FidelisError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!FidelisError.is(error)) throw new Error('expected a FidelisError', { cause: error });
  return error;
}

describe('an image folder', () => {
  it('becomes a dataset of its classes by name and its images by path', async () => {
    const dataset = await added(await folder(IMAGES));
    expect(dataset).toMatchObject({
      classNames: ['ant', 'cat'],
      inputShape: { height: 2, width: 3, channels: 3 },
    });
    const { train, test } = dataset.splits;
    expect([...train.labels]).toEqual([0, 1, 1]);
    expect([...test.labels]).toEqual([0, 1]);
    expect([0, 18, 36].map((at) => train.inputs[at])).toEqual([50, 10, 30]);
    expect([...test.inputs.subarray(0, 18)]).toEqual(Array.from({ length: 18 }, (_, i) => 70 + i));
  });

  it('is the same dataset as its archive, compressed or not, whatever the order in it', async () => {
    const { digest } = await added(await folder(IMAGES));
    expect((await added(await archive(IMAGES, 'a.tar'), { name: 'tar' })).digest).toBe(digest);
    const nested = Object.fromEntries(
      Object.entries(IMAGES).map(([file, content]) => [`./top/${file}`, content]),
    );
    expect((await added(await archive(nested, 'a.tar.gz'), { name: 'tar-gz' })).digest).toBe(digest);
  });

  it('may have PNGs with a palette, of less than a byte a pixel', async () => {
    const palette = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACAgMAAADgGo6JAAAACVBMVEUKFB4oMjxGUFoWrIR0AAAADElEQVR4nGOQYJgAAADcAKls58AjAAAAAElFTkSuQmCC',
      'base64',
    );
    const dataset = await added(await folder({ 'train/a/1.png': palette, 'test/a/1.png': palette }));
    expect(dataset.inputShape).toEqual({ height: 2, width: 3, channels: 3 });
    const colours = [10, 20, 30, 40, 50, 60, 70, 80, 90];
    expect([...dataset.splits.train.inputs]).toEqual([...colours, 70, 80, 90, 40, 50, 60, 10, 20, 30]);
  });

  it('may have JPEGs', async () => {
    const files = { 'train/a/1.jpg': GREY_JPEG, 'test/a/1.jpg': GREY_JPEG };
    const dataset = await added(await folder(files));
    expect(dataset.inputShape).toEqual({ height: 8, width: 8, channels: 1 });
    expect(new Set(dataset.splits.train.inputs)).toEqual(new Set([128]));
  });

  it('tells how far it is', async () => {
    const seen: number[] = [];
    await added(await folder(IMAGES), { onProgress: ({ done, total }) => seen.push(done, total) });
    expect(seen.slice(-2)).toEqual([5, 5]);
  });

  it('can be given up, and leaves nothing behind', async () => {
    const abort = new AbortController();
    const source = await folder(IMAGES);
    const adding = added(source, {
      signal: abort.signal,
      onProgress: () => abort.abort(new Error('given up')),
    });
    await expect(adding).rejects.toThrow('given up');
    expect(await readdir(work)).toEqual(['source']);
  });

  it.each<[string, Files, string, Partial<AddDatasetOptions>]>([
    [
      'an image of another size',
      { 'train/cat/2.png': png(3, 3, 3) },
      'image train/cat/2.png is 3×3, and',
      {},
    ],
    ['a grey image among others', { 'train/cat/2.png': png(2, 3, 1) }, 'image train/cat/2.png is grey', {}],
    [
      'a class that is not in test',
      { 'train/dog/1.png': png(2, 3, 3) },
      'train has dog, which test has not',
      {},
    ],
    [
      'a class that is not in train',
      { 'test/dog/1.png': png(2, 3, 3) },
      'test has dog, which train has not',
      {},
    ],
    ['a size for what is none', {}, '"My data" is no name for a dataset', { name: 'My data' }],
    ['the name of a built-in one', {}, '"mnist" is a dataset that comes with Fidelis', { name: 'mnist' }],
    ['a link', {}, '--link is for the directory of a dataset that was added before', { link: true }],
  ])('refuses %s', async (_, files, message, options) => {
    const error = await refusal(added(await folder({ ...IMAGES, ...files }), options));
    expect(error.code).toBe('REQUEST.INVALID');
    expect(error.message).toContain(message);
  });

  it('without a split says which', async () => {
    const files = { 'train/a/1.png': png(2, 2, 1), 'val/a/1.png': png(2, 2, 1) };
    const error = await refusal(added(await folder(files)));
    expect(error.message).toContain('has no images in test/<class>/; there is val');
  });

  it.each<[string, Uint8Array]>([
    ['no image', Buffer.from('hello')],
    ['half a PNG', png(2, 3, 3).slice(0, 40)],
    ['a damaged PNG', png(2, 3, 3).map((byte, i) => (i === 45 ? byte ^ 1 : byte))],
    ['half a JPEG', GREY_JPEG.subarray(0, 100)],
    ['nothing', new Uint8Array(0)],
  ])('names the file that is %s', async (_, content) => {
    const error = await refusal(added(await folder({ ...IMAGES, 'test/cat/1.png': content })));
    expect(error.code).toBe('DATASET.CORRUPT');
    expect(error.message).toContain('test/cat/1.png is no readable image');
  });

  it('brings images to one size and kind where it is told to', async () => {
    const files = { ...IMAGES, 'train/cat/2.png': png(4, 6, 1, 7) };
    const dataset = await added(await folder(files), { resize: { height: 2, width: 3 }, channels: 3 });
    expect(dataset.inputShape).toEqual({ height: 2, width: 3, channels: 3 });
    // The first pixel covers a block of 7, 8, 13, 14 and, by half of it and less, its neighbours.
    expect([...dataset.splits.train.inputs.subarray(36, 39)]).toEqual([12, 12, 12]);
  });

  it('that is a damaged archive says so', async () => {
    const source = await archive(IMAGES, 'a.tar.gz');
    await truncate(source, 200);
    const error = await refusal(added(source));
    expect(error.code).toBe('DATASET.CORRUPT');
    expect(error.message).toContain('is no readable .tar or .tar.gz');
  });

  it('that is not there says so', async () => {
    expect((await refusal(added(path.join(work, 'none')))).message).toContain('is not there: check the path');
  });
});

describe('a stored dataset', () => {
  it('is known by its name, beside the built-in ones', async () => {
    const { digest } = await added(await folder(IMAGES), { about: { license: 'CC0' } });
    expect(datasetCatalogue().map(({ name }) => name)).toEqual(['mnist', 'fashion-mnist', 'mine']);
    expect(datasetInfo('mine')).toMatchObject({
      license: 'CC0',
      splits: { train: 3, test: 2 },
      origin: 'added',
    });
    expect(await datasetRefOf('mine')).toEqual({ name: 'mine', digest });
    expect((await refusal(loadDataset('mein'))).message).toContain('Did you mean "mine"?');
  });

  it('is added once: again is no harm, another one under its name is refused', async () => {
    const source = await folder(IMAGES);
    expect(await addDataset(store, source, { name: 'mine' })).toEqual({ kind: 'image-folder', added: true });
    expect(await addDataset(store, source, { name: 'mine' })).toEqual({ kind: 'image-folder', added: false });
    const other = await folder({ ...IMAGES, 'test/cat/1.png': png(2, 3, 3, 1) });
    const error = await refusal(addDataset(store, other, { name: 'mine' }));
    expect(error.message).toContain('there is another dataset "mine"');
    expect(await readdir(store)).toEqual(['mine']);
  });

  it.each([
    ['a changed byte', (file: string) => writeFile(file, new Uint8Array(54).fill(1)), 'is damaged'],
    ['too few bytes', (file: string) => truncate(file, 53), 'has 53 bytes, and should have 54'],
    ['a missing file', (file: string) => rm(file), 'cannot be read'],
  ])('with %s is refused by the file that has it', async (_, spoil, message) => {
    await addDataset(store, await folder(IMAGES), { name: 'mine' });
    const file = path.join(store, 'mine', 'train-inputs.bin');
    await spoil(file);
    const error = await refusal(loadDataset('mine'));
    expect(error.code).toBe('DATASET.CORRUPT');
    expect(error.message).toContain(`${file} ${message}`);
    const bad = (await verifyDataset('mine')).filter(({ ok }) => !ok);
    expect(bad.map((each) => each.path)).toEqual([file]);
  });

  it('with a damaged manifest is refused by its name', async () => {
    await addDataset(store, await folder(IMAGES), { name: 'mine' });
    await writeFile(path.join(store, 'mine', 'manifest.json'), '{"format":');
    expect((await refusal(loadDataset('mine'))).message).toContain(
      'manifest.json is not the manifest of a dataset',
    );
  });

  it('can be linked from elsewhere, or copied, and removed', async () => {
    const first = await added(await folder(IMAGES));
    const elsewhere = path.join(work, 'elsewhere');
    await addDataset(elsewhere, path.join(store, 'mine'), { name: 'linked', link: true });
    await addDataset(elsewhere, path.join(store, 'mine'), { name: 'copied' });
    useDatasetDirectory(elsewhere);
    expect((await loadDataset('linked')).digest).toBe(first.digest);
    expect((await loadDataset('copied')).digest).toBe(first.digest);
    await removeStored(elsewhere, 'linked');
    await removeStored(elsewhere, 'copied');
    expect(await readdir(elsewhere)).toEqual([]);
    useDatasetDirectory(store);
    expect((await verifyDataset('mine')).every(({ ok }) => ok)).toBe(true);
  });
});

describe('CIFAR in its binary version', () => {
  const record = (label: number, start: number): Uint8Array =>
    Uint8Array.from({ length: 3_073 }, (_, i) =>
      i === 0 ? label : (start + Math.floor((i - 1) / 1_024)) % 256,
    );
  const files = (changes: Files = {}): Files => ({
    ...Object.fromEntries(CIFAR10.train.map((name, i) => [name, record(i, 10 * i)])),
    'test_batch.bin': record(9, 200),
    'batches.meta.txt': 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n',
    ...changes,
  });

  it('has its planes as pixels', async () => {
    const dataset = await added(await folder(files()));
    expect(dataset).toMatchObject({ classes: 10, inputShape: { height: 32, width: 32, channels: 3 } });
    expect([...dataset.splits.train.labels]).toEqual([0, 1, 2, 3, 4]);
    expect([...dataset.splits.train.inputs.subarray(3_072, 3_078)]).toEqual([10, 11, 12, 10, 11, 12]);
    expect([...dataset.splits.test.inputs.subarray(3_069)]).toEqual([200, 201, 202]);
  });

  it('in an archive is held to the published checksum', async () => {
    const source = await archive(files(), 'cifar-10-binary.tar.gz');
    const error = await refusal(added(source));
    expect(error.code).toBe('DATASET.CORRUPT');
    expect(error.message).toContain(`it should be ${CIFAR10.archiveMd5}`);
  });

  it.each<[string, Files, string]>([
    ['half a record', { 'test_batch.bin': new Uint8Array(3_000) }, 'test_batch.bin has 3000 bytes'],
    ['a label of no class', { 'data_batch_2.bin': record(10, 0) }, 'data_batch_2.bin has the label 10'],
    ['too few names', { 'batches.meta.txt': 'a\n' }, 'batches.meta.txt names 1 classes'],
  ])('with %s is refused by the file', async (_, changes, message) => {
    expect((await refusal(importCifar(await folder(files(changes)), CIFAR10))).message).toContain(message);
  });

  it('with a file missing says which', async () => {
    const { 'test_batch.bin': _, ...rest } = files();
    expect((await refusal(added(await folder(rest)))).message).toContain('has no test_batch.bin');
  });
});

describe('IDX files', () => {
  const idx = (shape: readonly number[], values: readonly number[]): Buffer => {
    const header = Buffer.alloc(4 + 4 * shape.length);
    header.set([0, 0, 8, shape.length]);
    shape.forEach((extent, i) => header.writeUInt32BE(extent, 4 + 4 * i));
    return Buffer.concat([header, Buffer.from(values)]);
  };
  const files: Files = {
    'train-images-idx3-ubyte.gz': gzipSync(idx([2, 1, 2], [1, 2, 3, 4])),
    'train-labels-idx1-ubyte': idx([2], [0, 2]),
    't10k-images-idx3-ubyte': idx([1, 1, 2], [5, 6]),
    't10k-labels-idx1-ubyte': idx([1], [1]),
  };

  it('are read compressed or not', async () => {
    const dataset = await added(await folder(files));
    expect(dataset).toMatchObject({
      classNames: ['0', '1', '2'],
      inputShape: { height: 1, width: 2, channels: 1 },
    });
    expect([...dataset.splits.train.inputs]).toEqual([1, 2, 3, 4]);
  });

  it('that are not those of Fashion-MNIST cannot have its name', async () => {
    const error = await refusal(added(await folder(files), { name: 'fashion-mnist' }));
    expect(error.code).toBe('DATASET.CORRUPT');
    expect(error.message).toMatch(/-ubyte is not the original file: its md5 is/);
  });
});

describe('sentence polarity', () => {
  const source = (): Promise<string> =>
    folder({
      'rt.neg': "It's bad .\nso ; dull , so sad\nbad bad film\ndull film\n",
      'rt.pos': 'a good film !\nso good\ngood , so fine\nit is fine\n',
    });

  it('becomes numbers of words, the most frequent first, padded at the end', async () => {
    const dataset = await added(await source(), {
      text: { testFraction: 0.25, minFrequency: 2, maxLength: 3 },
    });
    expect(dataset).toMatchObject({ classNames: ['negative', 'positive'], inputShape: { length: 3 } });
    const { train, test } = dataset.splits;
    expect([train.size, test.size]).toEqual([6, 2]);
    expect([...train.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    const { inputShape } = dataset;
    const vocabulary = 'vocabulary' in inputShape ? inputShape.vocabulary : 0;
    expect(Math.max(...train.inputs)).toBe(vocabulary - 1);
    expect(train.inputs.every((word, i) => word !== 0 || i % 3 > 0)).toBe(true);
  });

  it('is divided alike for equal seeds', async () => {
    const options = (seed: number): Partial<AddDatasetOptions> => ({
      name: `seed-${seed}`,
      text: { seed, testFraction: 0.25, minFrequency: 1 },
    });
    const digests = await Promise.all(
      [0, 1, 2, 3].map(async (seed) => (await added(await source(), options(seed))).digest),
    );
    expect(new Set(digests).size).toBeGreaterThan(1);
    expect((await added(await source(), { ...options(1), name: 'again' })).digest).toBe(digests[1]);
  });

  it('needs something to test on', async () => {
    const error = await refusal(added(await source(), { text: { testFraction: 0.1 } }));
    expect(error.message).toContain('leaves a split of 4 sentences empty');
  });
});

describe('a .npz', () => {
  const npy = (descr: string, shape: readonly number[], data: Uint8Array): Buffer => {
    const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((size) => `${size},`).join(' ')}), }`;
    const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
    const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
    start.writeUInt16LE(padded.length, 8);
    return Buffer.concat([start, Buffer.from(padded, 'latin1'), data]);
  };
  const count = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);
  const arrays = (changes: Readonly<Record<string, Buffer>> = {}): Readonly<Record<string, Buffer>> => ({
    x_train: npy('|u1', [3, 2, 2, 3], count(36)),
    y_train: npy('|u1', [3, 1], Uint8Array.of(0, 1, 2)),
    x_test: npy('|u1', [1, 2, 2, 3], count(12)),
    y_test: npy('<i4', [1], Uint8Array.of(1, 0, 0, 0)),
    ...changes,
  });

  it('becomes a dataset', async () => {
    const dataset = await added(await npz(arrays()));
    expect(dataset).toMatchObject({ classes: 3, inputShape: { height: 2, width: 2, channels: 3 } });
    expect(dataset.splits.train.inputs).toEqual(count(36));
    expect([...dataset.splits.test.labels]).toEqual([1]);
  });

  it.each<[string, Readonly<Record<string, Buffer>>, string]>([
    ['floats', { x_train: npy('<f4', [3, 2, 2, 3], count(144)) }, 'images are bytes, 0 to 255'],
    ['channels first', { x_train: npy('|u1', [1, 3, 4, 4], count(48)) }, 'array.transpose(0, 2, 3, 1)'],
    ['other sizes in test', { x_test: npy('|u1', [1, 2, 1, 3], count(6)) }, 'x_test has images of 2×1×3'],
    ['too few labels', { y_train: npy('|u1', [2], count(2)) }, 'and there are 3 images'],
    ['half a class', { y_test: npy('<f4', [1], Uint8Array.of(0, 0, 0, 63)) }, 'label 0.5 of sample 0'],
  ])('with %s is refused by the array', async (_, changes, message) => {
    expect((await refusal(added(await npz(arrays(changes))))).message).toContain(message);
  });

  it('without an array says which there are', async () => {
    const { y_test: _, ...rest } = arrays();
    expect((await refusal(added(await npz(rest)))).message).toContain(
      'has no array "y_test"; it has x_train',
    );
  });

  /** A zip of stored members. */
  async function npz(members: Readonly<Record<string, Buffer>>): Promise<string> {
    const { crc32 } = await import('node:zlib');
    const bodies: Buffer[] = [];
    const directory: Buffer[] = [];
    let offset = 0;
    for (const [member, data] of Object.entries(members)) {
      const name = Buffer.from(`${member}.npy`);
      const sizes = Buffer.alloc(12);
      sizes.writeUInt32LE(crc32(data), 0);
      sizes.writeUInt32LE(data.length, 4);
      sizes.writeUInt32LE(data.length, 8);
      const lengths = Buffer.alloc(4);
      lengths.writeUInt16LE(name.length, 0);
      const head = Buffer.concat([
        Buffer.from('504b03041400000000000000000000', 'hex').subarray(0, 14),
        sizes,
        lengths,
        name,
      ]);
      const place = Buffer.alloc(14);
      place.writeUInt32LE(offset, 10);
      directory.push(
        Buffer.concat([Buffer.from('504b0102140014000000000000000000', 'hex'), sizes, lengths, place, name]),
      );
      bodies.push(head, data);
      offset += head.length + data.length;
    }
    const index = Buffer.concat(directory);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(directory.length, 8);
    end.writeUInt16LE(directory.length, 10);
    end.writeUInt32LE(index.length, 12);
    end.writeUInt32LE(offset, 16);
    const target = path.join(work, 'arrays.npz');
    await writeFile(target, Buffer.concat([...bodies, index, end]));
    return target;
  }
});

it('what a manifest says of the arrays is enough to read them with other tools', async () => {
  await addDataset(store, await folder(IMAGES), { name: 'mine' });
  const manifest: unknown = JSON.parse(await readFile(path.join(store, 'mine', 'manifest.json'), 'utf8'));
  expect(manifest).toMatchObject({
    format: 'fidelis-dataset',
    inputShape: { height: 2, width: 3, channels: 3 },
    splits: { train: { size: 3, inputs: { file: 'train-inputs.bin', type: 'u8', bytes: 54 } } },
  });
});
