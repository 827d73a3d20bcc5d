import { createRequire } from 'node:module';
import { join } from 'node:path';
import { exists, readJson } from './files.mjs';
import { buildAddon, findCompiler, placeAddon, verifyAddon } from './tensorflow-addon.mjs';
import { fetchLibrary, libraryFlavour } from './tensorflow-library.mjs';
import { installPrebuilt } from './tensorflow-prebuilt.mjs';
import { TENSORFLOW_VERSION } from './versions.mjs';
import { findPip } from './wheels.mjs';

/** @typedef {import('./journal.mjs').Journal} Journal */
/** @typedef {import('./setup-report.mjs').Part} Part */

/** What is lost without it, for the warning. */
const LOSS =
  'Fidelis falls back to WebAssembly: everything works, but training is several times slower, and figures differ in the last digits from those of native TensorFlow';

/**
 * Native TensorFlow, in the order: addon compiled against the wheel's library, the package's prebuilt binary, WebAssembly.
 * @param {object} context
 * @param {string} context.root
 * @param {string} context.cache
 * @param {Journal} context.journal
 * @param {boolean} context.gpu
 * @param {boolean} context.retry
 * @param {Record<string, any> | undefined} context.previous this part in the last report
 * @returns {Promise<Part & Record<string, unknown>>}
 */
export async function setUpTensorFlow({ root, cache, journal, gpu, retry, previous }) {
  const packageRoot = join(root, 'node_modules', '@tensorflow', 'tfjs-node');
  if (process.env.FIDELIS_BACKEND === 'wasm')
    return withoutNative(root, [{ what: 'native TensorFlow', ok: false, reason: 'FIDELIS_BACKEND=wasm' }]);
  const circumstances = await describeCircumstances(packageRoot, gpu);
  if (previous?.circumstances === circumstances && (await stillGood(previous, packageRoot, retry)))
    return previous;

  const attempts = [];
  const attempt = async (what, work) => {
    const started = performance.now();
    const secondsSince = () => Math.round((performance.now() - started) / 100) / 10;
    try {
      const result = await work();
      attempts.push({ what, ok: true, seconds: secondsSince() });
      return result;
    } catch (error) {
      journal.warn(`TensorFlow: ${what}: ${error.message}`);
      attempts.push({ what, ok: false, reason: error.message, seconds: secondsSince() });
      return undefined;
    }
  };
  const common = { backend: 'tensorflow', gpu, circumstances };
  if (!(await exists(join(packageRoot, 'binding')))) {
    const reason =
      '@tensorflow/tfjs-node is not installed, or without the sources of its addon: run npm ci --ignore-scripts';
    attempts.push({ what: 'package @tensorflow/tfjs-node', ok: false, reason });
  } else {
    const built = await attempt(`addon compiled against TensorFlow ${TENSORFLOW_VERSION}`, async () => {
      const compiler = await findCompiler();
      const library = await fetchLibrary({ cache, gpu, journal });
      const addon = await buildAddon({ root, cache, packageRoot, library, compiler, journal });
      await placeAddon({ packageRoot, library, addon });
      const version = await journal.step('TensorFlow: trial run', () =>
        verifyAddon(root, library.libraryPaths),
      );
      return { version, path: library.directory, from: library.wheel, libraryPaths: library.libraryPaths };
    });
    if (built !== undefined) return { ok: true, ...common, ...built, attempts };
    const prebuilt = await attempt('prebuilt binary of @tensorflow/tfjs-node', async () => {
      await journal.step('TensorFlow: prebuilt binary', () => installPrebuilt(packageRoot));
      const version = await journal.step('TensorFlow: trial run', () => verifyAddon(root, []));
      return { version, path: packageRoot, from: '@tensorflow/tfjs-node', libraryPaths: [] };
    });
    if (prebuilt !== undefined) return { ok: true, ...common, ...prebuilt, attempts };
  }
  journal.warn(`TensorFlow: ${LOSS}. To try again after putting right what is named above: npm run setup`);
  return { ...(await withoutNative(root, attempts)), circumstances };
}

async function withoutNative(root, attempts) {
  const require = createRequire(join(root, 'libs', 'compute', 'package.json'));
  let manifest;
  try {
    manifest = await readJson(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  } catch {
    manifest = undefined;
  }
  const chosen = process.env.FIDELIS_BACKEND === 'wasm';
  return {
    ok: manifest !== undefined,
    backend: 'wasm',
    version: manifest?.version,
    from: '@tensorflow/tfjs-backend-wasm',
    attempts: [...attempts, { what: 'WebAssembly', ok: manifest !== undefined }],
    ...(chosen ? {} : { advice: `${LOSS}. Put right what the attempts name, then run npm run setup.` }),
  };
}

/** What decides the outcome: while it stays the same there is nothing to do again. */
async function describeCircumstances(packageRoot, gpu) {
  const manifest = await readJson(join(packageRoot, 'package.json'));
  const compiler = await findCompiler().catch(() => undefined);
  const pip = libraryFlavour(gpu) === undefined ? undefined : await findPip();
  return [
    `tfjs-node ${manifest?.version ?? 'absent'}`,
    `tensorflow ${TENSORFLOW_VERSION}${gpu ? ' gpu' : ''}`,
    `node ${process.versions.node.split('.')[0]}`,
    `compiler ${compiler?.command ?? 'absent'}`,
    `pip ${pip?.join(' ') ?? 'absent'}`,
  ].join(', ');
}

async function stillGood(previous, packageRoot, retry) {
  if (previous.backend === 'wasm') return !retry && previous.ok;
  const addon = join(packageRoot, 'lib', 'napi-v8', 'tfjs_binding.node');
  const library = join(packageRoot, 'deps', 'lib');
  return (await exists(addon)) && (await exists(library));
}
