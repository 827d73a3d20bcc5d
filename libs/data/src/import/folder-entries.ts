import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';
import { FidelisError } from '@fidelis/contracts';
import { extract } from 'tar-stream';
import { corrupt, refused } from './import-types.js';

/** A file in a directory or an archive. */
export interface FolderEntry {
  /** From the directory or the archive's root on, with `/`. */
  readonly path: string;
  /** Only until the next entry is asked for. */
  read(): Promise<Uint8Array>;
}

const GZIP_MAGIC = 0x1f8b;

/**
 * Files of a directory, in order of their paths, or of a `.tar` or `.tar.gz`, in its own order. Nothing is unpacked to the disk; hidden
 * files are passed over, links are not followed out of a directory's tree.
 *
 * @throws FidelisError REQUEST.INVALID if it is not there; DATASET.CORRUPT for a damaged archive
 */
export async function* folderEntries(source: string): AsyncGenerator<FolderEntry> {
  const info = await stat(source).catch((cause: unknown) => {
    throw notThere(source, cause);
  });
  if (info.isDirectory()) yield* directoryEntries(source, '');
  else yield* archiveEntries(source);
}

/** @throws FidelisError REQUEST.INVALID */
export function notThere(source: string, cause?: unknown): FidelisError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const problem =
    code === 'EACCES' ? 'may not be read: check its permissions' : 'is not there: check the path';
  return new FidelisError('REQUEST.INVALID', `${source} ${problem}`, { details: { path: source }, cause });
}

async function* directoryEntries(root: string, below: string): AsyncGenerator<FolderEntry> {
  const children = await readdir(path.join(root, below), { withFileTypes: true });
  children.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const child of children) {
    if (child.name.startsWith('.')) continue;
    const relative = below === '' ? child.name : `${below}/${child.name}`;
    if (child.isDirectory()) yield* directoryEntries(root, relative);
    else if (child.isFile() || child.isSymbolicLink()) {
      yield { path: relative, read: () => readFile(path.join(root, relative)) };
    }
  }
}

async function* archiveEntries(source: string): AsyncGenerator<FolderEntry> {
  const archive = extract();
  const file = createReadStream(source);
  const bytes = (await isGzip(source)) ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => archive.destroy(error));
  bytes.on('error', (error: Error) => archive.destroy(error));
  bytes.pipe(archive);
  let files = 0;
  try {
    for await (const entry of archive) {
      const { name, type } = entry.header;
      const hidden = name.split('/').some((part) => part.startsWith('.') && part !== '.');
      if (type === 'file' && !hidden) {
        files++;
        yield { path: name.replace(/^(\.\/)+/, ''), read: () => collect(entry) };
      }
      entry.resume();
    }
  } catch (error) {
    if (FidelisError.is(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw corrupt(source, `is no readable .tar or .tar.gz (${reason}): copy it again`, error);
  } finally {
    file.destroy();
    archive.destroy();
  }
  if (files === 0)
    throw refused(`${source} has no files in it: give a directory, a .tar or a .tar.gz`, { path: source });
}

async function collect(stream: AsyncIterable<unknown>): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function isGzip(source: string): Promise<boolean> {
  for await (const piece of createReadStream(source, { end: 1 })) {
    const start = piece as Buffer;
    return start.length === 2 && start.readUInt16BE(0) === GZIP_MAGIC;
  }
  return false;
}
