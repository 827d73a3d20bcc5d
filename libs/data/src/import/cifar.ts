import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Split } from '@fidelis/contracts';
import type { SplitData } from '../dataset.js';
import { folderEntries, notThere } from './folder-entries.js';
import { corrupt, refused, type ImportedContent } from './import-types.js';

const SIDE = 32;
const PIXELS = SIDE * SIDE;
const CHANNELS = 3;

/** The binary version of CIFAR (A. Krizhevsky, 2009): records of label bytes, then 1,024 red, green and blue bytes. */
export interface CifarFormat {
  readonly title: string;
  /** The label that counts is the last of them. */
  readonly labelBytes: number;
  readonly classes: number;
  readonly train: readonly string[];
  readonly test: readonly string[];
  readonly classFile: string;
  /** Of the archive, as its authors publish it. */
  readonly archiveMd5: string;
}

export const CIFAR10: CifarFormat = {
  title: 'CIFAR-10',
  labelBytes: 1,
  classes: 10,
  train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
  test: ['test_batch.bin'],
  classFile: 'batches.meta.txt',
  archiveMd5: 'c32a1d4ab5d03f1284b67883e8d87530',
};

export const CIFAR100: CifarFormat = {
  title: 'CIFAR-100',
  labelBytes: 2,
  classes: 100,
  train: ['train.bin'],
  test: ['test.bin'],
  classFile: 'fine_label_names.txt',
  archiveMd5: '03b5dce01913d631647c71ecec9e9cb8',
};

/**
 * The official binary files, unpacked in a directory or in their archive, which is held to its published checksum.
 *
 * @throws FidelisError DATASET.CORRUPT naming the file; REQUEST.INVALID where one is missing
 */
export async function importCifar(source: string, format: CifarFormat): Promise<ImportedContent> {
  const info = await stat(source).catch((cause: unknown) => {
    throw notThere(source, cause);
  });
  if (info.isFile()) await checkArchive(source, format);
  const files = new Map<string, Uint8Array>();
  const wanted = new Set([...format.train, ...format.test, format.classFile]);
  for await (const entry of folderEntries(source)) {
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
    if (wanted.has(name)) files.set(name, await entry.read());
  }
  const missing = [...wanted].filter((name) => !files.has(name));
  if (missing.length > 0) {
    throw refused(`${source} has no ${missing.join(', ')}: give the binary version of ${format.title}`, {
      missing,
    });
  }
  const classNames = Buffer.from(files.get(format.classFile) ?? [])
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (classNames.length !== format.classes) {
    throw corrupt(
      `${source}: ${format.classFile}`,
      `names ${classNames.length} classes, not ${format.classes}`,
    );
  }
  const splits = Object.fromEntries(
    (['train', 'test'] as const).map((split) => [split, readSplit(source, format, format[split], files)]),
  ) as Record<Split, SplitData>;
  return {
    classNames,
    inputShape: { height: SIDE, width: SIDE, channels: CHANNELS },
    splits,
    text: {
      title: format.title,
      description: `Colour 32×32 images of ${format.classes} classes.`,
      license: 'not stated by the authors (A. Krizhevsky, 2009)',
      source: info.isFile()
        ? `the official binary version (archive md5 ${format.archiveMd5})`
        : 'the binary version, unpacked: its authors publish no checksums of the files',
    },
  };
}

async function checkArchive(source: string, { archiveMd5, title }: CifarFormat): Promise<void> {
  const hash = createHash('md5');
  for await (const piece of createReadStream(source)) hash.update(piece as Buffer);
  const actual = hash.digest('hex');
  if (actual === archiveMd5) return;
  throw corrupt(
    source,
    `is not the official archive of ${title}: its md5 is ${actual}, it should be ${archiveMd5}; download it again`,
  );
}

function readSplit(
  source: string,
  { labelBytes, classes, title }: CifarFormat,
  names: readonly string[],
  files: ReadonlyMap<string, Uint8Array>,
): SplitData {
  const record = labelBytes + PIXELS * CHANNELS;
  const batches = names.map((name) => ({ name, bytes: files.get(name) ?? new Uint8Array(0) }));
  for (const { name, bytes } of batches) {
    if (bytes.length > 0 && bytes.length % record === 0) continue;
    throw corrupt(`${source}: ${name}`, `has ${bytes.length} bytes, which are no whole records of ${record}`);
  }
  const size = batches.reduce((sum, { bytes }) => sum + bytes.length / record, 0);
  const inputs = new Uint8Array(size * PIXELS * CHANNELS);
  const labels = new Uint8Array(size);
  let sample = 0;
  for (const { name, bytes } of batches) {
    for (let at = 0; at < bytes.length; at += record, sample++) {
      const label = bytes[at + labelBytes - 1] ?? 0;
      if (label >= classes)
        throw corrupt(`${source}: ${name}`, `has the label ${label}; ${title} has ${classes} classes`);
      labels[sample] = label;
      interleave(bytes, at + labelBytes, inputs, sample * PIXELS * CHANNELS);
    }
  }
  return { size, inputs, labels };
}

/** Three planes to pixels. */
function interleave(planes: Uint8Array, from: number, target: Uint8Array, to: number): void {
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    for (let channel = 0; channel < CHANNELS; channel++) {
      target[to + pixel * CHANNELS + channel] = planes[from + channel * PIXELS + pixel] ?? 0;
    }
  }
}
