import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** @param {string} path */
export async function exists(path) {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

/**
 * @param {string} path
 * @returns {Promise<string>} hex
 */
export async function sha256OfFile(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/**
 * Bytes of all files below a directory; what vanishes meanwhile does not count.
 * @param {string} directory
 * @returns {Promise<number>}
 */
export async function directorySize(directory) {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath ?? entry.path, entry.name)).then(
          (s) => s.size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/**
 * @param {string} path
 * @returns {Promise<any>} undefined if it is not there or not JSON
 */
export async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Written beside and renamed, so that a reader never sees half of it.
 * @param {string} path
 * @param {unknown} value
 */
export async function writeJson(path, value) {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial-${process.pid}`;
  await writeFile(partial, `${JSON.stringify(value, null, 2)}\n`);
  await rename(partial, path);
}

/**
 * Fills a directory under another name and gives it its own when it is whole, so that an interrupted attempt never counts.
 * @param {string} directory
 * @param {(partial: string) => Promise<void>} fill
 */
export async function createWhole(directory, fill) {
  const partial = `${directory}.partial-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await fill(partial);
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Removes what interrupted attempts have left in a directory; only under its lock.
 * @param {string} directory
 */
export async function removePartials(directory) {
  const names = await readdir(directory).catch(() => []);
  const partials = names.filter((name) => name.includes('.partial-'));
  await Promise.all(partials.map((name) => rm(join(directory, name), { recursive: true, force: true })));
}

/**
 * The first directory on the way to `path` that users other than its owner cannot enter; undefined if all can.
 * @param {string} path absolute
 * @returns {Promise<string | undefined>}
 */
export async function firstClosedAncestor(path) {
  const ancestors = [];
  for (let at = path; ; at = dirname(at)) {
    ancestors.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const ancestor of ancestors) {
    if (((await stat(ancestor)).mode & 0o001) === 0) return ancestor;
  }
  return undefined;
}
