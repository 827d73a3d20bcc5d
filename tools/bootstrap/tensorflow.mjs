import { createRequire } from 'node:module';
import { join } from 'node:path';
import { addonDigest } from './addon-sources.mjs';
import { findSystemCompiler, provideCompiler } from './compiler.mjs';
import { exists, readJson } from './files.mjs';
import { compileAddon, placeAddon, planAddon, verifyAddon } from './tensorflow-addon.mjs';
import { fetchLibrary, libraryFlavour } from './tensorflow-library.mjs';
import { installPrebuilt } from './tensorflow-prebuilt.mjs';
import { TENSORFLOW_VERSION } from './versions.mjs';
import { findPip } from './wheels.mjs';

/** @typedef {import('./journal.mjs').Journal} Journal */
/** @typedef {import('./setup-report.mjs').Part} Part */

/** What is lost without it, for the warning. */
const LOSS =
  'Fidelis falls back to WebAssembly: everything works, but training is several times slower, and figures differ in the last digits from those of native TensorFlow';

const NO_GPU =
  'built for CUDA 12, but it finds no GPU here (nvidia-smi shows whether the driver does): it computes on the processor';

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
  const identity = await describeIdentity(packageRoot, gpu);
  if (previous?.identity === identity && (await stillGood({ previous, packageRoot, retry }))) return previous;

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
  const common = { backend: 'tensorflow', gpu, identity };
  if (!(await exists(join(packageRoot, 'binding')))) {
    const reason =
      '@tensorflow/tfjs-node is not installed, or without the sources of its addon: run npm ci --ignore-scripts';
    attempts.push({ what: 'package @tensorflow/tfjs-node', ok: false, reason });
  } else {
    const built = await attempt(`addon compiled against TensorFlow ${TENSORFLOW_VERSION}`, async () => {
      const flavour = libraryFlavour(gpu);
      const plan = await planAddon({ root, cache, packageRoot, wheel: flavour.wheel });
      // Before the download: without a compiler it would be in vain.
      const compiler = plan.compiled ? undefined : await provideCompiler({ cache, journal });
      const library = await fetchLibrary({ cache, flavour, journal });
      if (compiler !== undefined) await compileAddon({ plan, library, compiler, journal });
      await placeAddon({ packageRoot, library, addon: plan.addon });
      const { version, gpu: gpuFound } = await journal.step('TensorFlow: trial run', () =>
        verifyAddon(root, library.libraryPaths),
      );
      if (gpu && !gpuFound) journal.warn(`TensorFlow: ${NO_GPU}`);
      return { version, path: library.directory, from: library.wheel, libraryPaths: library.libraryPaths };
    });
    if (built !== undefined) return { ok: true, ...common, ...built, attempts };
    const prebuilt = await attempt('prebuilt binary of @tensorflow/tfjs-node', async () => {
      await journal.step('TensorFlow: prebuilt binary', () => installPrebuilt(packageRoot));
      const { version } = await journal.step('TensorFlow: trial run', () => verifyAddon(root, []));
      return { version, path: packageRoot, from: '@tensorflow/tfjs-node', libraryPaths: [] };
    });
    if (prebuilt !== undefined) return { ok: true, ...common, ...prebuilt, attempts };
  }
  journal.warn(`TensorFlow: ${LOSS}. To try again after putting right what is named above: npm run setup`);
  return { ...(await withoutNative(root, attempts)), identity, means: await describeMeans() };
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

/** What a native set-up belongs to. */
async function describeIdentity(packageRoot, gpu) {
  const manifest = await readJson(join(packageRoot, 'package.json'));
  const node = process.versions.node.split('.')[0];
  const sources = await addonDigest(packageRoot).catch(() => 'absent');
  return `tfjs-node ${manifest?.version ?? 'absent'}, addon ${sources}, tensorflow ${TENSORFLOW_VERSION}${gpu ? ' gpu' : ''}, node ${node}`;
}

/** What decides whether another attempt at it can end differently. */
async function describeMeans() {
  const compiler = await findSystemCompiler();
  return `compiler ${compiler?.command ?? 'absent'}, pip ${(await findPip())?.join(' ') ?? 'absent'}`;
}

async function stillGood({ previous, packageRoot, retry }) {
  if (previous.backend === 'wasm') return previous.ok && !retry && previous.means === (await describeMeans());
  const addon = join(packageRoot, 'lib', 'napi-v8', 'tfjs_binding.node');
  const library = join(packageRoot, 'deps', 'lib');
  return (await exists(addon)) && (await exists(library));
}
