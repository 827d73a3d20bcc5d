import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { FidelisError, type Split } from '@fidelis/contracts';
import { createDataset, type Dataset, type SplitData } from './dataset.js';
import { parseIdx } from './idx-file.js';

const gunzip = promisify(zlib.gunzip);

export interface ChecksummedFile {
  readonly name: string;
  /** Of the uncompressed file, hexadecimal; undefined where nobody has published one. */
  readonly md5: string | undefined;
}

/** Where the IDX files of a dataset are, and what they must be. */
export interface IdxSource {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly directory: string;
  /** What to do where a file is missing or damaged. */
  readonly advice: string;
  readonly files: Readonly<
    Record<Split, { readonly images: ChecksummedFile; readonly labels: ChecksummedFile }>
  >;
}

export interface VerifiedFile {
  readonly path: string;
  /** undefined if the file cannot be read. */
  readonly bytes: number | undefined;
  readonly algorithm: 'md5' | 'sha256';
  readonly expected: string;
  readonly actual: string | undefined;
  readonly ok: boolean;
}

/**
 * Grey images [n][height][width] with labels [n], each file held to its checksum before a byte of it is used.
 *
 * @throws FidelisError DATASET.CORRUPT naming the file
 */
export async function loadIdxDataset(source: IdxSource): Promise<Dataset> {
  const [train, test] = await Promise.all([loadSplit(source, 'train'), loadSplit(source, 'test')]);
  const { height, width } = train;
  if (test.height !== height || test.width !== width) {
    throw new FidelisError(
      'DATASET.CORRUPT',
      `${source.files.test.images.name} has ${test.height}×${test.width} images, ` +
        `${source.files.train.images.name} has ${height}×${width}`,
      { details: { dataset: source.name, file: source.files.test.images.name } },
    );
  }
  return createDataset({
    name: source.name,
    classNames: source.classNames,
    inputShape: { height, width, channels: 1 },
    splits: { train: train.data, test: test.data },
  });
}

/**
 * The labels of one split, without its images.
 *
 * @throws FidelisError DATASET.CORRUPT naming the file
 */
export async function loadIdxLabels(source: IdxSource, split: Split): Promise<Uint8Array> {
  const file = source.files[split].labels;
  return parseIdx(await readChecked(source, file), file.name).values;
}

/** Reads every file and compares its checksum; reports what is wrong and does not throw. */
export async function verifyIdxSource(source: IdxSource): Promise<VerifiedFile[]> {
  const files = Object.values(source.files).flatMap(({ images, labels }) => [images, labels]);
  return Promise.all(
    files.map(async (file): Promise<VerifiedFile> => {
      const location = path.join(source.directory, file.name);
      const content = await readPlainOrGzip(location).catch(() => undefined);
      const actual = content === undefined ? undefined : md5(content);
      return {
        path: location,
        bytes: content?.length,
        algorithm: 'md5',
        expected: file.md5 ?? '',
        actual,
        ok: actual !== undefined && (file.md5 === undefined || actual === file.md5),
      };
    }),
  );
}

interface ImageSplit {
  readonly height: number;
  readonly width: number;
  readonly data: SplitData;
}

async function loadSplit(source: IdxSource, split: Split): Promise<ImageSplit> {
  const files = source.files[split];
  const [imageBytes, labelBytes] = await Promise.all([
    readChecked(source, files.images),
    readChecked(source, files.labels),
  ]);
  const images = parseIdx(imageBytes, files.images.name);
  const labels = parseIdx(labelBytes, files.labels.name);
  const [size, height, width] = images.shape;
  if (size === undefined || height === undefined || width === undefined || images.shape.length !== 3) {
    throw new FidelisError(
      'DATASET.CORRUPT',
      `${files.images.name} has ${images.shape.length} dimensions where images have 3`,
      { details: { dataset: source.name, file: files.images.name } },
    );
  }
  return { height, width, data: { size, inputs: images.values, labels: labels.values } };
}

async function readChecked(
  { name, directory, advice }: IdxSource,
  file: ChecksummedFile,
): Promise<Uint8Array> {
  const location = path.join(directory, file.name);
  const details = { dataset: name, file: location, expectedMd5: file.md5 };
  let content: Uint8Array;
  try {
    content = await readPlainOrGzip(location);
  } catch (cause) {
    throw new FidelisError('DATASET.CORRUPT', `${location} cannot be read: ${advice}`, { details, cause });
  }
  const actualMd5 = file.md5 === undefined ? undefined : md5(content);
  if (actualMd5 !== file.md5) {
    throw new FidelisError(
      'DATASET.CORRUPT',
      `${location} is not the original file: its md5 is ${actualMd5}, it should be ${file.md5}; ${advice}`,
      { details: { ...details, actualMd5 } },
    );
  }
  return content;
}

/** The file, or the same one compressed, with `.gz` after its name. */
async function readPlainOrGzip(location: string): Promise<Uint8Array> {
  try {
    return await readFile(location);
  } catch (cause) {
    const compressed = await readFile(`${location}.gz`).catch(() => undefined);
    if (compressed === undefined) throw cause;
    return gunzip(compressed);
  }
}

/** The checksum that the dataset's authors and mirrors publish; a guard against damage, not against malice. */
function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
