import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asUnwritable, FidelisError, type DatasetRef, type StoragePlace } from '@fidelis/contracts';
import { extract, pack, type Extract, type Pack } from 'tar-stream';
import { MANIFEST_FILE, readManifest, type DatasetManifest, type StoredArray } from './dataset-manifest.js';
import { loadStored, verifyStored } from './dataset-store.js';
import { createDraft, removeAbandonedDrafts } from './drafts.js';

/** No file of an archive is younger than another: equal datasets have equal archives. */
const EPOCH = new Date(0);
const MOST_MANIFEST_BYTES = 2 ** 24;

const COPIES: StoragePlace = {
  otherwise: ' with FIDELIS_DATASET_COPIES_DIR.',
  faults: { EEXIST: 'a file is in the way' },
};

/** A dataset as one file: a tar archive of its directory, the manifest first. */
export interface DatasetArchive {
  /** sha-256 of the archive. */
  readonly sha256: string;
  readonly bytes: number;
  /** The archive from its beginning, as often as it is asked for. */
  read(): AsyncIterable<Uint8Array>;
}

/**
 * The archive of a stored dataset. It is never in memory whole, and nothing is written.
 *
 * @throws FidelisError DATASET.CORRUPT naming the file that is not what was added
 */
export async function archiveStored(directory: string, name: string): Promise<DatasetArchive> {
  const damaged = (await verifyStored(directory, name)).find(({ ok }) => !ok);
  const home = path.join(directory, name);
  if (damaged !== undefined) {
    throw new FidelisError(
      'DATASET.CORRUPT',
      `${damaged.path} is damaged: its bytes are not those that were added; remove the dataset and add it again`,
      { details: { dataset: name, file: damaged.path, expected: damaged.expected, actual: damaged.actual } },
    );
  }
  // A link may have another name than the dataset that it leads to.
  const manifest = { ...readManifest(home), name };
  const read = (): AsyncIterable<Uint8Array> => archiveBytes(home, manifest);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of read()) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes, read };
}

/** Names of the copies in a directory: digests. */
export function copyPlace(directory: string, { digest }: DatasetRef): string {
  return path.join(directory, digest);
}

/**
 * Unpacks an archive into a directory of copies, under the dataset's digest: all of it is there, and is what the digest says, or nothing.
 *
 * @throws FidelisError DATASET.CORRUPT where the archive is no dataset, or another one; STORAGE.UNWRITABLE; what the source throws
 */
export async function receiveArchive(
  directory: string,
  dataset: DatasetRef,
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  const home = copyPlace(directory, dataset);
  let draft: string | undefined;
  try {
    await mkdir(directory, { recursive: true });
    await removeAbandonedDrafts(directory);
    draft = await createDraft(directory);
    const unpacked = path.join(draft, dataset.digest);
    await mkdir(unpacked);
    await unpack(unpacked, dataset, source);
    const damaged = (await verifyStored(draft, dataset.digest)).find(({ ok }) => !ok);
    if (damaged !== undefined)
      throw refused(dataset, `holds other bytes of ${path.basename(damaged.path)} than its manifest says`);
    const { digest } = await loadStored(draft, dataset.digest).catch((error: unknown) => {
      throw refused(dataset, 'is of another dataset than its manifest says', error);
    });
    if (digest !== dataset.digest) {
      throw refused(dataset, `is of another dataset, which has the digest ${digest}`);
    }
    await rename(unpacked, home).catch(async (error: unknown) => {
      // Another process was first.
      if (!(await isThere(path.join(home, MANIFEST_FILE)))) throw error;
    });
  } catch (error) {
    throw FidelisError.is(error) ? error : asUnwritable(directory, error, COPIES);
  } finally {
    if (draft !== undefined) await rm(draft, { recursive: true, force: true });
  }
}

async function unpack(home: string, dataset: DatasetRef, source: AsyncIterable<Uint8Array>): Promise<void> {
  const archive = extract();
  // What the source fails with is told by the entries, too, but not as it was.
  const failure = pipeline(Readable.from(source), archive).then(
    () => undefined,
    (error: unknown) => error,
  );
  let missing: readonly string[];
  try {
    missing = await writeEntries(home, dataset, archive);
  } catch (error) {
    archive.destroy();
    throw asRefusal(dataset, await failure, error);
  }
  const cause = await failure;
  if (cause !== undefined) throw asRefusal(dataset, cause, cause);
  const [first] = missing;
  if (first !== undefined) throw refused(dataset, `ends without ${first}`);
}

/** @returns names of the files that did not come */
async function writeEntries(home: string, dataset: DatasetRef, archive: Extract): Promise<readonly string[]> {
  const seen = new Set<string>();
  let sizes: ReadonlyMap<string, number> = new Map([[MANIFEST_FILE, MOST_MANIFEST_BYTES]]);
  for await (const entry of archive) {
    const { name, size = 0, type } = entry.header;
    const most = sizes.get(name);
    if (type !== 'file' || most === undefined || seen.has(name) || size > most) {
      throw refused(dataset, `has ${name} (${size} bytes), which belongs to no dataset there`);
    }
    seen.add(name);
    await pipeline(entry, createWriteStream(path.join(home, name), { flags: 'wx', flush: true }));
    if (name === MANIFEST_FILE) sizes = new Map([...sizes, ...arraySizes(readManifest(home))]);
  }
  return [...sizes.keys()].filter((name) => !seen.has(name));
}

/** What the source and the disk say as they say it; whatever else ends an archive early is its own fault. */
function asRefusal(dataset: DatasetRef, ofSource: unknown, error: unknown): unknown {
  for (const each of [error, ofSource]) if (FidelisError.is(each) || isSystemError(each)) return each;
  return refused(
    dataset,
    `cannot be read (${error instanceof Error ? error.message : String(error)})`,
    error,
  );
}

function arraysOf({ splits }: DatasetManifest): StoredArray[] {
  return [splits.train, splits.test].flatMap(({ inputs, labels }) => [inputs, labels]);
}

function arraySizes(manifest: DatasetManifest): ReadonlyMap<string, number> {
  return new Map(arraysOf(manifest).map(({ file, bytes }) => [file, bytes]));
}

async function* archiveBytes(home: string, manifest: DatasetManifest): AsyncGenerator<Uint8Array> {
  const archive = pack();
  const filling = fill(archive, home, manifest).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const chunk of archive) yield chunk as Uint8Array;
  } finally {
    archive.destroy();
    await filling;
  }
}

async function fill(archive: Pack, home: string, manifest: DatasetManifest): Promise<void> {
  const json = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  archive.entry({ name: MANIFEST_FILE, size: json.length, mtime: EPOCH }, json);
  for (const { file, bytes } of arraysOf(manifest)) {
    const entry = archive.entry({ name: file, size: bytes, mtime: EPOCH });
    await pipeline(createReadStream(path.join(home, file)), entry);
  }
  archive.finalize();
}

function refused({ name, digest }: DatasetRef, problem: string, cause?: unknown): FidelisError {
  return new FidelisError('DATASET.CORRUPT', `the archive of the dataset "${name}" ${problem}`, {
    details: { dataset: name, digest },
    cause,
  });
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
