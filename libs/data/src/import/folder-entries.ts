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
/** Of what is read whole: the largest of all, CIFAR-100's training file, has 154 MB. */
const MOST_FILE_BYTES = 2 ** 28;

/**
 * Files of a directory, in order of their paths, or of a `.tar` or `.tar.gz`, in its own order. Nothing is unpacked to the disk: a path
 * in an archive is a name, wherever it leads. Hidden files are passed over, and paths through `..` with them. Of links those to files are
 * followed, in a directory; to read another one is refused.
 *
 * @param onDirectory hears of every directory, also of an empty one
 * @throws FidelisError REQUEST.INVALID if it is not there; DATASET.CORRUPT for a damaged archive
 */
export async function* folderEntries(
  source: string,
  onDirectory: (path: string) => void = () => undefined,
): AsyncGenerator<FolderEntry> {
  const info = await stat(source).catch((cause: unknown) => {
    throw notThere(source, cause);
  });
  if (info.isDirectory()) yield* directoryEntries(source, '', onDirectory);
  else yield* archiveEntries(source, onDirectory);
}

/** @throws FidelisError REQUEST.INVALID */
export function notThere(source: string, cause?: unknown): FidelisError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const problem =
    code === 'EACCES' ? 'may not be read: check its permissions' : 'is not there: check the path';
  return new FidelisError('REQUEST.INVALID', `${source} ${problem}`, { details: { path: source }, cause });
}

async function* directoryEntries(
  root: string,
  below: string,
  onDirectory: (path: string) => void,
): AsyncGenerator<FolderEntry> {
  if (below !== '') onDirectory(below);
  const children = await readdir(path.join(root, below), { withFileTypes: true });
  children.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const child of children) {
    if (child.name.startsWith('.')) continue;
    const relative = below === '' ? child.name : `${below}/${child.name}`;
    if (child.isDirectory()) yield* directoryEntries(root, relative, onDirectory);
    else if (child.isFile() || child.isSymbolicLink()) {
      yield { path: relative, read: () => readWhole(root, relative) };
    }
  }
}

async function readWhole(root: string, relative: string): Promise<Uint8Array> {
  const file = path.join(root, relative);
  try {
    const info = await stat(file);
    if (info.isDirectory()) throw new Error('it is a link to a directory, and those are not followed');
    if (info.size > MOST_FILE_BYTES) throw new Error(tooLarge(info.size));
    return await readFile(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw corrupt(`${root}: ${relative}`, `cannot be read (${reason}): replace or remove it`, error);
  }
}

function tooLarge(bytes: number): string {
  return `it has ${bytes} bytes, and at most ${MOST_FILE_BYTES} are read`;
}

async function* archiveEntries(
  source: string,
  onDirectory: (path: string) => void,
): AsyncGenerator<FolderEntry> {
  const archive = extract();
  const stored = createReadStream(source);
  const bytes = (await isGzip(source)) ? stored.pipe(createGunzip()) : stored;
  stored.on('error', (error) => archive.destroy(error));
  bytes.on('error', (error: Error) => archive.destroy(error));
  bytes.pipe(archive);
  let files = 0;
  try {
    for await (const entry of archive) {
      const { name, type, size = 0 } = entry.header;
      const hidden = name.split('/').some((part) => part.startsWith('.') && part !== '.');
      const file = name.replace(/^(\.\/)+/, '');
      if (type === 'directory' && !hidden) onDirectory(file.replace(/\/+$/, ''));
      if ((type === 'file' || type === 'link' || type === 'symlink') && !hidden) {
        files++;
        const problem = (reason: string): FidelisError =>
          corrupt(`${source}: ${file}`, `cannot be read (${reason}): replace or remove it`);
        const read = async (): Promise<Uint8Array> => {
          if (type !== 'file') {
            throw problem('it is a link: archive files with tar --dereference --hard-dereference');
          }
          if (size > MOST_FILE_BYTES) throw problem(tooLarge(size));
          return collect(entry);
        };
        yield { path: file, read };
      }
      entry.resume();
    }
  } catch (error) {
    if (FidelisError.is(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw corrupt(source, `is no readable .tar or .tar.gz (${reason}): copy it again`, error);
  } finally {
    stored.destroy();
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
