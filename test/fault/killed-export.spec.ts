import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openArchive, verifyArchive } from '@fidelis/archive';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Stores as many steps as it is told to, each in a shard of its own, and says when each one is done. */
const EXPORT = `
import { writeArchive } from '@fidelis/archive';
import { streamKey } from '@fidelis/contracts';
const [directory, steps] = [process.argv[1], Number(process.argv[2])];
const dataset = { name: 'tiny', digest: 'd1'.repeat(32) };
const view = { kind: 'sequence', dataset, split: 'train', augmentation: [], seed: 1, batchSize: 8 };
const teacherDigest = '0a'.repeat(32);
const key = streamKey(teacherDigest, view, 'f16');
const shape = { members: 1, classes: 4, codec: 'f16', parts: 1 };
async function* frames() {
  for (let step = 0; step < steps; step++) {
    yield { ...shape, part: 0, streamKey: key, step, rows: 8, inputDigest: '0'.repeat(16), values: new Float32Array(32) };
  }
}
await writeArchive(
  directory,
  { ...shape, streamKey: key, teacherId: 't', teacherDigest, view, partRows: 8, mixing: false, producer: null, steps,
    samples: [{ dataset, split: 'train', firstId: 0, rows: 64 }] },
  frames(),
  () => ({ ids: new Uint32Array(8) }),
  { shardBytes: 1, onProgress: (progress) => console.log(progress.steps) },
);
`;

let parent: string;

beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'fidelis-export-'));
});

afterEach(() => rm(parent, { recursive: true, force: true }));

it('a killed export leaves nothing that looks whole, and the next one beside it leaves nothing of it', async () => {
  const target = path.join(parent, 'stream');
  const start = (steps: number): ReturnType<typeof spawn> =>
    spawn(process.execPath, ['--input-type=module', '-e', EXPORT, target, String(steps)], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  const killed = start(1_000_000);
  if (killed.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: killed.stdout })) {
    if (Number(line) >= 5) killed.kill('SIGKILL');
  }
  if (killed.signalCode === null) await once(killed, 'exit');
  expect(killed.signalCode).toBe('SIGKILL');
  const [draft = '', ...others] = await readdir(parent);
  expect(draft).toMatch(/^\.draft-/);
  expect(others).toEqual([]);
  expect((await readdir(path.join(parent, draft))).length).toBeGreaterThanOrEqual(5);
  await expect(openArchive(path.join(parent, draft))).rejects.toMatchObject({ code: 'ARCHIVE.INVALID' });

  const next = start(12);
  next.stdout?.resume();
  const [code] = (await once(next, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(await readdir(parent)).toEqual(['stream']);
  expect(await verifyArchive(target)).toMatchObject({ steps: 12, rows: 96, shards: 12 });
});
