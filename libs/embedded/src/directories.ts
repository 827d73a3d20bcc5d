import { constants } from 'node:fs';
import { access, mkdir, stat, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { asUnwritable, unwritable, type FidelisError, type StoragePlace } from '@fidelis/contracts';

type Environment = Readonly<Record<string, string | undefined>>;

const runsAsRoot = (): boolean => process.getuid?.() === 0;

/** Where the set-up keeps downloaded and compiled parts, shared between clones. The same rule as in tools/bootstrap/cache-directory.mjs. */
export function cacheDir(env: Environment = process.env): string {
  if (env['FIDELIS_CACHE_DIR']) return resolve(env['FIDELIS_CACHE_DIR']);
  if (runsAsRoot()) return '/var/cache/fidelis';
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fidelis');
}

/** Where the embedded stack keeps its streams, database and logs. */
export function dataDir(env: Environment = process.env): string {
  if (env['FIDELIS_DATA_DIR']) return resolve(env['FIDELIS_DATA_DIR']);
  if (runsAsRoot()) return '/var/lib/fidelis';
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'fidelis');
}

const PLACE: StoragePlace = {
  otherwise: ' with FIDELIS_DATA_DIR.',
  faults: {
    ENOTDIR: 'a part of the path is a file, not a directory',
    EEXIST: 'a file with this name is in the way',
    ENOENT: 'the directory cannot be created there',
  },
};

/** STORAGE.UNWRITABLE with what is wrong with `path` and what to do. */
export function storageError(path: string, reason: string, cause?: unknown): FidelisError {
  return unwritable(path, reason, PLACE, cause);
}

/** A file-system error as STORAGE.UNWRITABLE; anything else as it came. */
export function asStorageError(path: string, error: unknown): unknown {
  return asUnwritable(path, error, PLACE);
}

/**
 * Creates `path` and makes sure that this process can write there.
 * @throws STORAGE.UNWRITABLE
 */
export async function ensureWritableDirectory(
  path: string,
  { mode = 0o755, minFreeBytes = 0 } = {},
): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode });
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw asStorageError(path, error);
  }
  const { bavail, bsize } = await statfs(path);
  const freeBytes = bavail * bsize;
  if (freeBytes < minFreeBytes) {
    const mebibytes = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
    throw storageError(
      path,
      `only ${mebibytes(freeBytes)} are free and ${mebibytes(minFreeBytes)} are needed`,
    );
  }
}

/** The first directory on the way to `path` that users other than its owner cannot enter; undefined if all can. */
export async function firstClosedAncestor(path: string): Promise<string | undefined> {
  const ancestors: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    ancestors.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const ancestor of ancestors) {
    if (((await stat(ancestor)).mode & 0o001) === 0) return ancestor;
  }
  return undefined;
}
