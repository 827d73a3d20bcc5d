import { once } from 'node:events';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;
const DEADLINE_MS = 15_000;
/** Writing as much as this takes a while. */
const LARGE_IMAGES = 160_000;
const SIDE = 28;

let directory: string;
let processes: ChildProcess[];
const store = (): string => join(directory, 'store');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fidelis-killed-'));
  processes = [];
  await idx('large', LARGE_IMAGES);
  await idx('small', 10);
});

afterEach(async () => {
  for (const each of processes) each.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

async function idx(name: string, images: number): Promise<void> {
  const file = (extents: readonly number[]): Buffer => {
    const header = Buffer.alloc(4 + 4 * extents.length);
    header.set([0, 0, 8, extents.length]);
    extents.forEach((extent, axis) => header.writeUInt32BE(extent, 4 + 4 * axis));
    return Buffer.concat([header, Buffer.alloc(extents.reduce((product, extent) => product * extent))]);
  };
  await mkdir(join(directory, name));
  for (const [split, count] of Object.entries({ train: images, t10k: 10 })) {
    await writeFile(join(directory, name, `${split}-images-idx3-ubyte`), file([count, SIDE, SIDE]));
    await writeFile(join(directory, name, `${split}-labels-idx1-ubyte`), file([count]));
  }
}

function add(name: string): ChildProcess {
  const child = spawn(process.execPath, [MAIN, 'data', 'add', join(directory, name), '--name', name], {
    env: { ...process.env, FIDELIS_DATASETS_DIR: store(), FIDELIS_DATA_DIR: directory },
    stdio: 'ignore',
  });
  processes.push(child);
  return child;
}

async function finished(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, 'exit');
  return child.exitCode;
}

const drafts = async (): Promise<string[]> =>
  (await readdir(store()).catch(() => [])).filter((entry) => entry.startsWith('.'));

/** An add that stands still while it writes. */
async function stoppedWhileWriting(name: string): Promise<ChildProcess> {
  const child = add(name);
  const deadline = Date.now() + DEADLINE_MS;
  while ((await drafts()).length === 0) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error('no draft was seen');
    await pause(1);
  }
  child.kill('SIGSTOP');
  expect(await readdir(store())).toEqual(await drafts());
  return child;
}

it('an add that is killed leaves a draft that the next one removes', async () => {
  const killed = await stoppedWhileWriting('large');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(await drafts()).toHaveLength(1);
  expect(await finished(add('small'))).toBe(0);
  expect(await readdir(store())).toEqual(['small']);
});

it('an add leaves the draft of one beside it alone', async () => {
  const slow = await stoppedWhileWriting('large');
  expect(await finished(add('small'))).toBe(0);
  expect(await drafts()).toHaveLength(1);
  slow.kill('SIGCONT');
  expect(await finished(slow)).toBe(0);
  expect((await readdir(store())).sort()).toEqual(['large', 'small']);
});
