import { existsSync } from 'node:fs';
import path from 'node:path';
import { FidelisError, type DatasetRef } from '@fidelis/contracts';
import {
  datasetDirectory,
  datasetInfo,
  infoOf,
  isBuiltIn,
  loadDataset,
  loadOnce,
  manifestOf,
  type DatasetInfo,
} from './catalogue.js';
import type { Dataset } from './dataset.js';
import { archiveStored, copyPlace, receiveArchive, type DatasetArchive } from './store/dataset-archive.js';
import { MANIFEST_FILE, readManifest } from './store/dataset-manifest.js';
import { loadStored } from './store/dataset-store.js';

let copiesDirectory: string | undefined;

/**
 * Where copies of datasets are kept that others have added: by their digests, since a name can mean another dataset here. A setting of the
 * process, as `useDatasetDirectory`.
 */
export function useDatasetCopies(directory: string | undefined): void {
  copiesDirectory = directory;
}

/** Whether exactly this dataset can be loaded here. A built-in one is taken to be there: every machine has it by itself. */
export function hasDataset(dataset: DatasetRef): boolean {
  return placeOf(dataset) !== undefined;
}

/**
 * Exactly this dataset, whatever has its name here.
 *
 * @throws FidelisError DATASET.UNKNOWN, DATASET.MISMATCH, DATASET.CORRUPT naming the file, SETUP.MISSING
 */
export async function loadDatasetOf(wanted: DatasetRef): Promise<Dataset> {
  if (placeOf(wanted) === 'copy') {
    const directory = copiesDirectory ?? '';
    const { name, digest } = wanted;
    const load = async (): Promise<Dataset> => ({ ...(await loadStored(directory, digest)), name });
    return loadOnce(`${copyPlace(directory, wanted)} ${name}`, load);
  }
  const dataset = await loadDataset(wanted.name);
  if (dataset.digest !== wanted.digest) throw otherThanWanted(wanted, dataset.digest);
  return dataset;
}

/**
 * What is told of exactly this dataset, without loading it.
 *
 * @throws FidelisError DATASET.UNKNOWN, DATASET.MISMATCH, DATASET.CORRUPT
 */
export function datasetInfoOf(wanted: DatasetRef): DatasetInfo {
  if (placeOf(wanted) === 'copy')
    return infoOf(wanted.name, readManifest(copyPlace(copiesDirectory ?? '', wanted)));
  const digest = manifestOf(wanted.name)?.digest ?? wanted.digest;
  if (digest !== wanted.digest) throw otherThanWanted(wanted, digest);
  return datasetInfo(wanted.name);
}

/**
 * Keeps a copy of a dataset: whole, and what its digest says, or none.
 *
 * @throws FidelisError DATASET.CORRUPT, STORAGE.UNWRITABLE, SETUP.MISSING where no place for copies was given; what the source throws
 */
export async function receiveDataset(dataset: DatasetRef, archive: AsyncIterable<Uint8Array>): Promise<void> {
  if (copiesDirectory === undefined) {
    throw new FidelisError(
      'SETUP.MISSING',
      'there is no place for copies of datasets: set FIDELIS_DATASET_COPIES_DIR',
    );
  }
  await receiveArchive(copiesDirectory, dataset, archive);
}

/**
 * For others, who lack it.
 *
 * @returns undefined where nobody has added exactly this one here
 * @throws FidelisError DATASET.CORRUPT naming the file
 */
export async function archiveDataset(dataset: DatasetRef): Promise<DatasetArchive | undefined> {
  const directory = datasetDirectory();
  if (directory === undefined || manifestOf(dataset.name)?.digest !== dataset.digest) return undefined;
  return archiveStored(directory, dataset.name);
}

function placeOf(wanted: DatasetRef): 'named' | 'copy' | undefined {
  const digest = digestHere(wanted.name);
  if (digest === wanted.digest) return 'named';
  const copies = copiesDirectory;
  if (copies !== undefined && existsSync(path.join(copyPlace(copies, wanted), MANIFEST_FILE))) return 'copy';
  return digest === undefined && isBuiltIn(wanted.name) ? 'named' : undefined;
}

/** Of what was added under the name. One that is damaged is none. */
function digestHere(name: string): string | undefined {
  try {
    return manifestOf(name)?.digest;
  } catch {
    return undefined;
  }
}

function otherThanWanted({ name, digest: wanted }: DatasetRef, digest: string): FidelisError {
  return new FidelisError(
    'DATASET.MISMATCH',
    `this machine's ${name} has the digest ${digest}, and ${wanted} is asked for: give both the same data ("fidelis data verify" says which one is whole)`,
    { details: { name, digest, wanted } },
  );
}
