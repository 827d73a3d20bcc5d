import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, symlink, unlink, lstat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { asUnwritable, FidelisError, type Split, type StoragePlace } from '@fidelis/contracts';
import { createDataset, type Dataset, type SplitData } from '../dataset.js';
import type { VerifiedFile } from '../idx-dataset.js';
import { readArray, writeArray } from './array-file.js';
import { DATASET_NAME, MANIFEST_FILE, readManifest, type DatasetManifest } from './dataset-manifest.js';
import { createDraft, removeAbandonedDrafts } from './drafts.js';

const STORE: StoragePlace = {
  otherwise: ' with FIDELIS_DATASETS_DIR.',
  faults: { EEXIST: 'a file is in the way' },
};

/** What people read about a dataset. */
export interface DatasetText {
  readonly title: string;
  readonly description: string;
  readonly license: string;
  readonly source: string;
}

/**
 * Names of the datasets in a directory, damaged ones among them, sorted. One that does not exist has none.
 */
export function storedNames(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => DATASET_NAME.test(entry.name) && (entry.isDirectory() || entry.isSymbolicLink()))
    .map(({ name }) => name)
    .sort();
}

/** @throws FidelisError DATASET.CORRUPT */
export function storedManifest(directory: string, name: string): DatasetManifest {
  return readManifest(path.join(directory, name));
}

/**
 * The arrays of a stored dataset, held to the manifest's digest before anybody sees them.
 *
 * @throws FidelisError DATASET.CORRUPT naming the file
 */
export async function loadStored(directory: string, name: string): Promise<Dataset> {
  const home = path.join(directory, name);
  const manifest = readManifest(home);
  const { classNames, inputShape } = manifest;
  const splits = {
    train: await loadSplit(home, manifest, 'train'),
    test: await loadSplit(home, manifest, 'test'),
  };
  const dataset = createDataset({ name, classNames, inputShape, splits });
  if (dataset.digest === manifest.digest) return dataset;
  const damaged = (await verifyStored(directory, name)).find(({ ok }) => !ok)?.path ?? home;
  throw new FidelisError(
    'DATASET.CORRUPT',
    `${damaged} is damaged: its bytes are not those that were added; remove the dataset and add it again`,
    { details: { dataset: name, file: damaged, expected: manifest.digest, actual: dataset.digest } },
  );
}

/**
 * The labels of one split, without its inputs.
 *
 * @throws FidelisError DATASET.CORRUPT naming the file
 */
export async function loadStoredLabels(
  directory: string,
  name: string,
  split: Split,
): Promise<SplitData['labels']> {
  const home = path.join(directory, name);
  return readLabels(home, readManifest(home), split);
}

async function loadSplit(home: string, manifest: DatasetManifest, split: Split): Promise<SplitData> {
  const { size, inputs } = manifest.splits[split];
  const values = await readArray(home, inputs);
  if (values instanceof Int32Array) throw wrongTypes(home);
  return { size, inputs: values, labels: await readLabels(home, manifest, split) };
}

async function readLabels(
  home: string,
  { splits }: DatasetManifest,
  split: Split,
): Promise<SplitData['labels']> {
  const labels = await readArray(home, splits[split].labels);
  if (labels instanceof Uint16Array) throw wrongTypes(home);
  return labels;
}

function wrongTypes(home: string): FidelisError {
  return new FidelisError(
    'DATASET.CORRUPT',
    `${path.join(home, MANIFEST_FILE)} has arrays of the wrong types`,
  );
}

/** Compares every array with the checksum that it had when it was added. A wrong file is not thrown but reported. */
export async function verifyStored(directory: string, name: string): Promise<VerifiedFile[]> {
  const home = path.join(directory, name);
  const { splits } = readManifest(home);
  const arrays = [splits.train, splits.test].flatMap(({ inputs, labels }) => [inputs, labels]);
  const files: VerifiedFile[] = [];
  for (const { file, sha256 } of arrays) {
    const location = path.join(home, file);
    const content = await readFile(location).catch(() => undefined);
    const actual = content === undefined ? undefined : createHash('sha256').update(content).digest('hex');
    files.push({
      path: location,
      bytes: content?.length,
      algorithm: 'sha256',
      expected: sha256,
      actual,
      ok: actual === sha256,
    });
  }
  return files;
}

/**
 * Writes a dataset: all of it is there under its name, or nothing.
 *
 * @returns false if the same dataset was there already
 * @throws FidelisError REQUEST.INVALID for a name that is no name, or that another dataset has; STORAGE.UNWRITABLE
 */
export async function store(directory: string, dataset: Dataset, text: DatasetText): Promise<boolean> {
  const home = await freePlace(directory, dataset.name, dataset.digest);
  if (home === undefined) return false;
  let building: string | undefined;
  try {
    building = await createDraft(directory);
    const { name, digest, classNames, inputShape } = dataset;
    const manifest: DatasetManifest = {
      format: 'fidelis-dataset',
      version: 1,
      name,
      ...text,
      digest,
      classNames: [...classNames],
      inputShape: { ...inputShape },
      splits: {
        train: await writeSplit(building, 'train', dataset.splits.train),
        test: await writeSplit(building, 'test', dataset.splits.test),
      },
    };
    const json = `${JSON.stringify(manifest, undefined, 2)}\n`;
    await writeFile(path.join(building, MANIFEST_FILE), json, { flag: 'wx', flush: true });
    return await publish(building, home, () => freePlace(directory, name, digest));
  } catch (error) {
    throw asUnwritable(directory, error, STORE);
  } finally {
    if (building !== undefined) await rm(building, { recursive: true, force: true });
  }
}

/** @returns false if another process was first with the same dataset */
async function publish(
  building: string,
  home: string,
  free: () => Promise<string | undefined>,
): Promise<boolean> {
  try {
    await rename(building, home);
    return true;
  } catch (error) {
    if ((await free()) === undefined) return false;
    throw error;
  }
}

/**
 * Makes a dataset directory that is elsewhere known here by a link to it.
 *
 * @returns false if the same dataset was there already
 */
export async function linkStored(directory: string, name: string, target: string): Promise<boolean> {
  const { digest } = readManifest(target);
  const home = await freePlace(directory, name, digest);
  if (home === undefined) return false;
  try {
    await symlink(path.resolve(target), home, 'dir');
    return true;
  } catch (error) {
    throw asUnwritable(directory, error, STORE);
  }
}

/** Removes a dataset; of a link the link alone. */
export async function removeStored(directory: string, name: string): Promise<void> {
  const home = path.join(directory, name);
  if ((await lstat(home)).isSymbolicLink()) return unlink(home);
  // Without its manifest it is no dataset, however far the rest gets.
  const leaving = await createDraft(directory);
  await rename(home, path.join(leaving, name));
  await rm(leaving, { recursive: true });
}

async function writeSplit(
  building: string,
  split: Split,
  { size, inputs, labels }: SplitData,
): Promise<DatasetManifest['splits'][Split]> {
  return {
    size,
    inputs: await writeArray(building, `${split}-inputs.bin`, inputs),
    labels: await writeArray(building, `${split}-labels.bin`, labels),
  };
}

/** Where a dataset goes; undefined if it is there already. */
async function freePlace(directory: string, name: string, digest: string): Promise<string | undefined> {
  assertName(name);
  const home = path.join(directory, name);
  try {
    await mkdir(directory, { recursive: true });
    await removeAbandonedDrafts(directory);
  } catch (error) {
    throw asUnwritable(directory, error, STORE);
  }
  if ((await stat(home).catch(() => undefined)) === undefined) {
    // A link that leads nowhere is in the way of nothing.
    await unlink(home).catch(() => undefined);
    return home;
  }
  const there = manifestInTheWay(directory, name);
  if (there.digest === digest) return undefined;
  throw new FidelisError(
    'REQUEST.INVALID',
    `there is another dataset "${name}" (${there.title}): choose another --name, or remove it first with \`fidelis data remove ${name}\``,
    { details: { name, digest: there.digest } },
  );
}

function manifestInTheWay(directory: string, name: string): DatasetManifest {
  try {
    return storedManifest(directory, name);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FidelisError(
      'DATASET.CORRUPT',
      `there is a damaged dataset "${name}": remove it first with \`fidelis data remove ${name}\`. ${reason}`,
      { details: { name }, cause: error },
    );
  }
}

/** @throws FidelisError REQUEST.INVALID */
export function assertName(name: string): void {
  if (DATASET_NAME.test(name)) return;
  throw new FidelisError(
    'REQUEST.INVALID',
    `"${name}" is no name for a dataset: use lower-case letters, digits and "-", at most 63, beginning with a letter or digit`,
    { details: { name } },
  );
}
