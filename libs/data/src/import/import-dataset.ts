import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { isBuiltIn } from '../catalogue.js';
import { createDataset, type Dataset } from '../dataset.js';
import { MANIFEST_FILE, readManifest } from '../store/dataset-manifest.js';
import { assertName, linkStored, loadStored, store, type DatasetText } from '../store/dataset-store.js';
import { CIFAR10, CIFAR100, importCifar } from './cifar.js';
import { notThere } from './folder-entries.js';
import { importFashionMnist, importIdx } from './idx.js';
import { importImageFolder } from './image-folder.js';
import { refused, type ImportedContent, type ImportKind, type ImportOptions } from './import-types.js';
import { importNpz } from './npz.js';
import { importSentencePolarity } from './sentence-polarity.js';

export interface AddDatasetOptions extends ImportOptions {
  readonly name: string;
  /** @default found out from what is there */
  readonly kind?: ImportKind;
  /** Of a dataset directory: refer to it where it is. */
  readonly link?: boolean;
  /** In place of what is known of the kind. */
  readonly about?: Partial<DatasetText>;
}

export interface AddedDataset {
  readonly kind: ImportKind;
  /** False if the same dataset was there already. */
  readonly added: boolean;
}

/**
 * Brings a dataset into the directory.
 *
 * @throws FidelisError REQUEST.INVALID, DATASET.CORRUPT, STORAGE.UNWRITABLE
 */
export async function addDataset(
  directory: string,
  source: string,
  options: AddDatasetOptions,
): Promise<AddedDataset> {
  const { name, link = false } = options;
  assertName(name);
  const kind = options.kind ?? (await recognise(source, name));
  if (isBuiltIn(name) && kind !== name) {
    throw refused(`"${name}" is a dataset that comes with Fidelis: choose another --name`, { name });
  }
  if (kind !== 'fidelis' && link) {
    throw refused(
      `--link is for the directory of a dataset that was added before (it has a ${MANIFEST_FILE}): ${source} is decoded on its way in`,
    );
  }
  if (link) return { kind, added: await linkStored(directory, name, source) };
  const { dataset, text } = await read(source, kind, options);
  return { kind, added: await store(directory, dataset, { ...text, ...options.about }) };
}

async function read(
  source: string,
  kind: ImportKind,
  options: AddDatasetOptions,
): Promise<{ dataset: Dataset; text: DatasetText }> {
  const { name } = options;
  if (kind === 'fidelis') {
    const { title, description, license, source: origin } = readManifest(source);
    const dataset = await loadStored(path.dirname(path.resolve(source)), path.basename(path.resolve(source)));
    return { dataset: { ...dataset, name }, text: { title, description, license, source: origin } };
  }
  const { text, ...content } = await importContent(source, kind, options);
  return { dataset: createDataset({ name, ...content }), text };
}

async function importContent(
  source: string,
  kind: Exclude<ImportKind, 'fidelis'>,
  options: ImportOptions,
): Promise<ImportedContent> {
  if (options.resize !== undefined && kind !== 'image-folder') {
    throw refused(`--resize is for image folders, and this is ${kind}`);
  }
  switch (kind) {
    case 'image-folder':
      return importImageFolder(source, options);
    case 'npz':
      return importNpz(source, options);
    case 'idx':
      return importIdx(source);
    case 'fashion-mnist':
      return importFashionMnist(source);
    case 'cifar10':
      return importCifar(source, CIFAR10);
    case 'cifar100':
      return importCifar(source, CIFAR100);
    case 'sentence-polarity':
      return importSentencePolarity(source, options);
  }
}

/** What a file or directory most likely is. */
async function recognise(source: string, name: string): Promise<ImportKind> {
  const info = await stat(source).catch((cause: unknown) => {
    throw notThere(source, cause);
  });
  const lower = path.basename(source).toLowerCase();
  if (info.isFile()) {
    if (lower.endsWith('.npz')) return 'npz';
    if (lower.startsWith('cifar-100-binary')) return 'cifar100';
    if (lower.startsWith('cifar-10-binary')) return 'cifar10';
    if (/\.(tar|tar\.gz|tgz)$/.test(lower)) return 'image-folder';
    throw refused(
      `${source} is of no known kind: give a directory, a .tar, a .tar.gz or a .npz, or say --kind`,
    );
  }
  const names = await readdir(source);
  const has = (pattern: RegExp): boolean => names.some((entry) => pattern.test(entry));
  if (names.includes(MANIFEST_FILE)) return 'fidelis';
  if (has(/^train-images-idx3-ubyte(\.gz)?$/)) return name === 'fashion-mnist' ? 'fashion-mnist' : 'idx';
  if (names.includes('data_batch_1.bin')) return 'cifar10';
  if (names.includes('train.bin') && names.includes('fine_label_names.txt')) return 'cifar100';
  if (has(/\.pos$/) && has(/\.neg$/)) return 'sentence-polarity';
  return 'image-folder';
}
