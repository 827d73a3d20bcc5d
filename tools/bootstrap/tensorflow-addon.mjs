import { createHash } from 'node:crypto';
import { copyFile, lstat, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readAddonSources } from './addon-sources.mjs';
import { createWhole, exists, readJson } from './files.mjs';
import { runCommand } from './run-command.mjs';

/** @typedef {import('./journal.mjs').Journal} Journal */
/** @typedef {import('./tensorflow-library.mjs').Library} Library */

const ADDON = 'tfjs_binding.node';
const COMPILE_DEADLINE_MS = 1_200_000;
const TRIAL_DEADLINE_MS = 120_000;

/**
 * @typedef {object} AddonPlan
 * @property {string} directory in the cache; its name changes with everything that the compiled file depends on
 * @property {string} addon the compiled file
 * @property {boolean} compiled another clone has done it
 * @property {ReadonlyMap<string, string>} sources text by file name
 * @property {string} headers
 */

/**
 * @param {{ root: string, cache: string, packageRoot: string, wheel: string }} context
 * @returns {Promise<AddonPlan>}
 */
export async function planAddon({ root, cache, packageRoot, wheel }) {
  const sources = await readAddonSources(join(packageRoot, 'binding'));
  const headers = join(root, 'node_modules', 'node-api-headers');
  const { version } = await readJson(join(packageRoot, 'package.json'));
  const hash = createHash('sha256').update(wheel);
  hash.update((await readJson(join(headers, 'package.json'))).version);
  for (const [name, text] of sources) hash.update(name).update(text);
  const digest = hash.digest('hex').slice(0, 12);
  const directory = join(cache, `tfjs-addon-${version}-${process.platform}-${process.arch}-${digest}`);
  const addon = join(directory, ADDON);
  return { directory, addon, compiled: await exists(addon), sources, headers: join(headers, 'include') };
}

/**
 * Compiles tfjs-node's addon into the cache.
 * @param {{ plan: AddonPlan, library: Library, compiler: import('./compiler.mjs').Compiler, journal: Journal }} context
 */
export async function compileAddon({ plan, library, compiler, journal }) {
  const includes = [join(library.directory, 'include'), plan.headers].map((path) => `-I${path}`);
  const names = [...plan.sources.keys()];
  await journal.step(`TensorFlow: addon compiled with ${compiler.name}`, () =>
    createWhole(plan.directory, async (partial) => {
      const sources = join(partial, 'sources');
      await mkdir(sources);
      for (const [name, text] of plan.sources) await writeFile(join(sources, name), text);
      const { ok, output, reason } = await runCommand(
        compiler.command,
        [
          ...compiler.args,
          ...[
            '-O2',
            '-fPIC',
            '-shared',
            '-std=c++17',
            '-DNAPI_VERSION=8',
            '-w',
            ...includes,
            ...names.filter((name) => name.endsWith('.cc')),
          ],
          ...[
            '-o',
            join(partial, ADDON),
            `-L${join(library.directory, 'lib')}`,
            '-ltensorflow',
            '-ltensorflow_framework',
          ],
          '-Wl,-rpath,$ORIGIN/../../deps/lib',
        ],
        { cwd: sources, env: compiler.env, timeoutMs: COMPILE_DEADLINE_MS },
      );
      if (!ok) throw new Error(`${compiler.command} failed: ${reason}\n${output.slice(0, 2_000)}`);
    }),
  );
}

/**
 * Puts addon and library where tfjs-node looks for them.
 * @param {{ packageRoot: string, library: Library, addon: string }} context
 */
export async function placeAddon({ packageRoot, library, addon }) {
  await mkdir(join(packageRoot, 'deps'), { recursive: true });
  for (const name of ['lib', 'include'])
    await linkTo(join(library.directory, name), join(packageRoot, 'deps', name));
  const target = join(packageRoot, 'lib', 'napi-v8');
  await mkdir(target, { recursive: true });
  const partial = join(target, `${ADDON}.partial-${process.pid}`);
  await copyFile(addon, partial);
  await rename(partial, join(target, ADDON));
}

async function linkTo(destination, path) {
  const there = await lstat(path).catch(() => undefined);
  if (there !== undefined && !there.isSymbolicLink()) await rm(path, { recursive: true, force: true });
  const partial = `${path}.partial-${process.pid}`;
  await rm(partial, { force: true });
  await symlink(destination, partial);
  await rename(partial, path);
}

/** tfjs-node calls functions of node:util that are gone since Node 23. */
const TRIAL = `
  const util = require('node:util');
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  const tf = require('@tensorflow/tfjs-node');
  const product = tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]);
  const ok = tf.getBackend() === 'tensorflow' && product.dataSync().join() === '19,22,43,50';
  const { TF_Version: version } = tf.backend().binding;
  console.log(JSON.stringify({ ok, version, gpu: tf.backend().isUsingGpuDevice }));
`;

/**
 * Loads the addon in a process of its own, so that a crash is a failed trial and nothing more, and multiplies two matrices.
 * @param {string} root
 * @param {readonly string[]} libraryPaths
 * @returns {Promise<{ version: string, gpu: boolean }>} TensorFlow's version, and whether it computes on a GPU
 */
export async function verifyAddon(root, libraryPaths) {
  const search = [...libraryPaths, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  const { ok, output, reason } = await runCommand(process.execPath, ['--no-deprecation', '-e', TRIAL], {
    cwd: join(root, 'libs', 'compute'),
    env: { TF_CPP_MIN_LOG_LEVEL: '3', ...(search === '' ? {} : { LD_LIBRARY_PATH: search }) },
    timeoutMs: TRIAL_DEADLINE_MS,
  });
  const line = output.split('\n').find((each) => each.startsWith('{'));
  if (!ok || line === undefined) throw new Error(`the addon does not load: ${reason}`);
  const answer = JSON.parse(line);
  if (!answer.ok) throw new Error('the addon loads but computes wrongly');
  return { version: answer.version, gpu: answer.gpu };
}
