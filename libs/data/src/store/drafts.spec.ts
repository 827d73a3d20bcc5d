import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDraft, removeAbandonedDrafts } from './drafts.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'fidelis-drafts-'));
});

afterEach(() => rm(directory, { recursive: true }));

/** A draft with a file in it, of the process, made when the hours had passed. */
async function draftOf(pid: number, { host = '', hoursOld = 0 } = {}): Promise<string> {
  const draft = await createDraft(directory);
  const file = path.join(draft, 'train-inputs.bin');
  await writeFile(file, 'half');
  const then = new Date(Date.now() - hoursOld * 3_600_000);
  for (const each of [file, draft]) await utimes(each, then, then);
  let name = path.basename(draft).replace(`-${process.pid}-`, `-${pid}-`);
  if (host !== '') name = name.replace(/-[0-9a-f]{12}-/, `-${host}-`);
  await rename(draft, path.join(directory, name));
  return name;
}

/** The number of a process that was, and is no more. */
const endedPid = (): number => spawnSync(process.execPath, ['--version']).pid;

describe('abandoned drafts', () => {
  it('are removed at once where their process is known to have ended', async () => {
    await draftOf(endedPid());
    await removeAbandonedDrafts(directory);
    expect(await readdir(directory)).toEqual([]);
  });

  it('of another machine are removed when nobody has written to them for an hour', async () => {
    const host = 'ab'.repeat(6);
    await draftOf(process.pid, { host, hoursOld: 1.1 });
    const beingWritten = await draftOf(endedPid(), { host });
    await removeAbandonedDrafts(directory);
    expect(await readdir(directory)).toEqual([beingWritten]);
  });

  it('stay while their process runs, and of another machine while one of their files grows', async () => {
    const running = await draftOf(process.pid, { hoursOld: 5 });
    const growing = await draftOf(process.pid, { host: 'ab'.repeat(6), hoursOld: 5 });
    await writeFile(path.join(directory, growing, 'test-inputs.bin'), 'new');
    const then = new Date(0);
    await utimes(path.join(directory, growing), then, then);
    await removeAbandonedDrafts(directory);
    expect(new Set(await readdir(directory))).toEqual(new Set([running, growing]));
  });

  it('are nothing else that is hidden', async () => {
    await mkdir(path.join(directory, '.mine'));
    await utimes(path.join(directory, '.mine'), 0, 0);
    await removeAbandonedDrafts(directory);
    expect(await readdir(directory)).toEqual(['.mine']);
  });
});
