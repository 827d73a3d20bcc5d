import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, readJson, sha256OfFile, writeJson } from './files.mjs';
import { isInstalled } from './lockfile.mjs';
import { runCommand } from './run-command.mjs';
import { isAtLeast, MIN_NODE_VERSION } from './versions.mjs';

/** @typedef {import('./journal.mjs').Journal} Journal */

/** Below node_modules, so that it goes when they go. */
export const STAMPS = join('node_modules', '.fidelis');

const MAX_ERROR_LINES = 30;

/** @throws {Error} if this Node is too old */
export function checkNode() {
  if (isAtLeast(process.versions.node, MIN_NODE_VERSION)) return;
  throw new Error(
    `Node ${process.versions.node} is too old: Fidelis needs ${MIN_NODE_VERSION} or newer. Install one, for example from nodejs.org or with your version manager, and run this again.`,
  );
}

/**
 * `npm ci` where what is installed is not what the lockfile says. Without install scripts: an optional package whose script fails
 * would be removed silently, and what they do is done by the set-up itself.
 * @param {string} root
 * @param {Journal} journal
 */
export async function installDependencies(root, journal) {
  const lockfile = join(root, 'package-lock.json');
  const stampFile = join(root, STAMPS, 'dependencies.json');
  const digest = await sha256OfFile(lockfile);
  const stamp = await readJson(stampFile);
  if (stamp?.lockfile === digest) return;
  const installed = await readJson(join(root, 'node_modules', '.package-lock.json'));
  if (!isInstalled(await readJson(lockfile), installed, process)) {
    await journal.step('dependencies (npm ci)', async () => {
      const [command, ...first] = npm();
      const { ok, output } = await runCommand(
        command,
        [...first, 'ci', '--ignore-scripts', '--loglevel=error'],
        {
          cwd: root,
        },
      );
      if (!ok) {
        throw new Error(
          `npm ci failed:\n${errorLines(output)}\nCheck the network and the registry, then run this again.`,
        );
      }
    });
  }
  await writeJson(stampFile, { lockfile: digest });
}

/** What npm said, without the help that it prints after a refusal. */
function errorLines(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && line.trim() !== 'npm error');
  const help = lines.findIndex((line) => /^npm error (Usage|Clean install)/.test(line));
  return (help === -1 ? lines : lines.slice(0, help)).slice(0, MAX_ERROR_LINES).join('\n');
}

/** The npm that runs us, else the one on the search path. */
function npm() {
  const running = process.env.npm_execpath;
  if (running !== undefined && /npm-cli\.c?js$/.test(running)) return [process.execPath, running];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

/**
 * Compiles every package whose sources changed.
 * @param {string} root
 * @param {Journal} journal
 */
export async function build(root, journal) {
  const stampFile = join(root, STAMPS, 'build.json');
  const sources = await sourcesDigest(root);
  const stamp = await readJson(stampFile);
  if (stamp?.sources === sources && (await allBuilt(root, stamp.packages))) return;
  await journal.step('build', async () => {
    const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
    const { ok, output } = await runCommand(
      process.execPath,
      [nx, 'run-many', '-t', 'build', '--output-style=static'],
      {
        cwd: root,
        env: { NX_DAEMON: 'false', NX_TUI: 'false', FORCE_COLOR: '0' },
      },
    );
    if (!ok) throw new Error(`the build failed:\n${output}`);
  });
  await writeJson(stampFile, { sources, packages: await packagesWithSources(root) });
}

/** @param {string} root */
async function packagesWithSources(root) {
  const found = [];
  for (const group of ['libs', 'apps']) {
    const names = await readdir(join(root, group)).catch(() => []);
    for (const name of names) {
      const files = await readdir(join(root, group, name, 'src')).catch(() => []);
      if (files.some((file) => file.endsWith('.ts'))) found.push(join(group, name));
    }
  }
  return found;
}

async function allBuilt(root, packages) {
  const built = await Promise.all(packages.map((name) => exists(join(root, name, 'dist'))));
  return built.every(Boolean);
}

/** Over names, sizes and times of all that the build reads: quick, and it changes when they do. */
async function sourcesDigest(root) {
  const hash = createHash('sha256');
  const directories = ['libs', 'apps', 'deploy'];
  for (const top of directories) {
    const entries = await readdir(join(root, top), { withFileTypes: true }).catch(() => []);
    const packages =
      top === 'deploy' ? [top] : entries.filter((e) => e.isDirectory()).map((e) => join(top, e.name));
    for (const name of packages.sort()) {
      await addFile(hash, root, join(name, 'package.json'));
      await addTree(hash, root, join(name, 'src'));
    }
  }
  for (const file of ['.swcrc', 'nx.json', 'package.json']) await addFile(hash, root, file);
  return hash.digest('hex');
}

async function addTree(hash, root, directory) {
  const entries = await readdir(join(root, directory), { withFileTypes: true, recursive: true }).catch(
    () => [],
  );
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  for (const file of files.sort()) await addFile(hash, '', file);
}

async function addFile(hash, root, file) {
  const found = await stat(join(root, file)).catch(() => undefined);
  hash.update(`${file}\0${found?.size}\0${found?.mtimeMs}\n`);
}
