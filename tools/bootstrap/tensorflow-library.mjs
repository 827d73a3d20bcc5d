import { readdir, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createWhole, exists, readJson, writeJson } from './files.mjs';
import { TENSORFLOW_VERSION } from './versions.mjs';
import { downloadWheel, extraRequirements, unpackWheel } from './wheels.mjs';
import { readEntryText, readZipDirectory } from './zip-archive.mjs';

/** @typedef {import('./journal.mjs').Journal} Journal */
/**
 * @typedef {object} Library
 * @property {string} directory with `lib` and `include`
 * @property {string} wheel what it came from
 * @property {string[]} libraryPaths folders that a process needs in LD_LIBRARY_PATH to find CUDA
 */

const WHEEL_SHA256 = {
  'tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl':
    'dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb',
};

/** The addon's sources include these, directly or through one another. */
const HEADERS = [
  'tensorflow/c/',
  'tensorflow/core/platform/',
  'tensorflow/compiler/xla/tsl/',
  'tsl/platform/',
  'xla/',
];
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const REPORT_EVERY_BYTES = 50e6;

/**
 * @typedef {{ name: string, wheel: string, directory: string, megabytes: number, gpu: boolean }} Flavour
 */

/**
 * Which wheel has the library for this machine.
 * @param {boolean} gpu
 * @returns {Flavour}
 * @throws {Error} where none is known to
 */
export function libraryFlavour(gpu) {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new Error(`no wheel with the C library is known for ${process.platform} on ${process.arch}`);
  }
  if (process.report.getReport().header.glibcVersionRuntime === undefined) {
    throw new Error('the library needs glibc, which this system does not have');
  }
  // The CPU-only wheel exists for x64 alone; on arm64 the plain one is without CUDA.
  const name = gpu || process.arch !== 'x64' ? 'tensorflow' : 'tensorflow-cpu';
  return {
    name,
    wheel: `${name} ${TENSORFLOW_VERSION}`,
    directory: `tensorflow-${gpu ? 'gpu-' : ''}${TENSORFLOW_VERSION}`,
    megabytes: gpu ? 572 : 274,
    gpu,
  };
}

/**
 * TensorFlow's C library and headers, out of its Python wheel.
 * @param {{ cache: string, flavour: Flavour, journal: Journal }} context
 * @returns {Promise<Library>}
 */
export async function fetchLibrary({ cache, flavour, journal }) {
  const { gpu, wheel } = flavour;
  const directory = join(cache, flavour.directory);
  if (!(await isWhole(directory))) {
    const path = await journal.step(`TensorFlow: download of ${wheel} (${flavour.megabytes} MB)`, () =>
      downloadWheel({
        requirement: `${flavour.name}==${TENSORFLOW_VERSION}`,
        directory: join(cache, 'downloads'),
        sha256: WHEEL_SHA256,
        onProgress: progressNotes(journal, flavour.megabytes),
      }),
    );
    await createWhole(directory, async (partial) => {
      await journal.step('TensorFlow: library and headers out of the wheel', () =>
        unpackLibrary(path, partial),
      );
      if (gpu) await fetchCompanions({ wheel: path, cache, partial, journal });
      await writeJson(join(partial, 'manifest.json'), { wheel, sizes: await sizesOf(partial) });
    });
    await rm(path, { force: true });
  }
  return { directory, wheel, libraryPaths: gpu ? await companionPaths(directory) : [] };
}

async function isWhole(directory) {
  const manifest = await readJson(join(directory, 'manifest.json'));
  if (manifest === undefined) return false;
  const sizes = await sizesOf(directory).catch(() => ({}));
  return LIBRARIES.every((name) => sizes[name] !== undefined && sizes[name] === manifest.sizes[name]);
}

async function sizesOf(directory) {
  const sizes = await Promise.all(
    LIBRARIES.map(async (name) => [name, (await stat(join(directory, 'lib', name))).size]),
  );
  return Object.fromEntries(sizes);
}

/**
 * Where a file of the wheel goes; undefined if the addon needs neither it nor its headers.
 * @param {string} name in the wheel
 * @param {string} directory
 * @returns {string | undefined}
 */
export function placeInLibrary(name, directory) {
  const [top, ...rest] = name.split('/');
  if (top !== 'tensorflow') return undefined;
  if (rest.length === 1 && LIBRARIES.includes(rest[0])) return join(directory, 'lib', rest[0]);
  const header = rest.slice(1).join('/');
  if (rest[0] === 'include' && HEADERS.some((prefix) => header.startsWith(prefix)))
    return join(directory, 'include', header);
  return undefined;
}

async function unpackLibrary(wheel, directory) {
  const unpacked = await unpackWheel(wheel, (name) => placeInLibrary(name, directory));
  for (const library of LIBRARIES) {
    if (!unpacked.has(`tensorflow/${library}`)) throw new Error(`${wheel} does not hold ${library}`);
  }
  await symlink('libtensorflow_cc.so.2', join(directory, 'lib', 'libtensorflow.so'));
  await symlink('libtensorflow_framework.so.2', join(directory, 'lib', 'libtensorflow_framework.so'));
}

/** CUDA's own libraries come in wheels of their own, which TensorFlow's names under `and-cuda`. */
async function fetchCompanions({ wheel, cache, partial, journal }) {
  const metadata = (await readZipDirectory(wheel)).find(({ name }) =>
    /^[^/]+\.dist-info\/METADATA$/.test(name),
  );
  const requirements =
    metadata === undefined ? [] : extraRequirements(await readEntryText(wheel, metadata), 'and-cuda');
  if (requirements.length === 0) throw new Error(`${wheel} names no CUDA libraries`);
  for (const requirement of requirements) {
    await journal.step(`TensorFlow: download of ${requirement}`, async () => {
      const path = await downloadWheel({
        requirement,
        directory: join(cache, 'downloads'),
        onProgress: progressNotes(journal),
      });
      await unpackWheel(
        path,
        (name) => (/^nvidia\/[^/]+\/lib\//.test(name) ? join(partial, name) : undefined),
        { mode: 0o755 },
      );
      await rm(path, { force: true });
    });
  }
}

async function companionPaths(directory) {
  const nvidia = join(directory, 'nvidia');
  const names = await readdir(nvidia).catch(() => []);
  const paths = names.sort().map((name) => join(nvidia, name, 'lib'));
  const there = await Promise.all(paths.map(exists));
  return paths.filter((_, index) => there[index]);
}

/** A line each time another 50 MB have arrived; at the end pip has everything twice for a moment, which is not told. */
function progressNotes(journal, megabytes = Infinity) {
  let told = 0;
  return (bytes) => {
    if (bytes < told + REPORT_EVERY_BYTES || bytes > megabytes * 1e6) return;
    told = bytes;
    journal.note(`${Math.round(bytes / 1e6)} MB`);
  };
}
