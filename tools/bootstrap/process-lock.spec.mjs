import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWhole } from './files.mjs';
import { withLock } from './process-lock.mjs';

describe('work that two set-ups may do at once', () => {
  let directory;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fidelis-lock-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('is done by one at a time, and the second is told who holds it', async () => {
    const path = join(directory, 'lock');
    const waitedFor = [];
    let inside = 0;
    const work = async () => {
      inside += 1;
      expect(inside).toBe(1);
      await delay(50);
      inside -= 1;
    };
    const waiting = (pid) => waitedFor.push(pid);
    await Promise.all([withLock(path, work, waiting), withLock(path, work, waiting)]);
    expect(waitedFor).toEqual([process.pid]);
    expect(existsSync(path)).toBe(false);
  });

  it('takes over the lock of a process that is gone or whose id was given to another', async () => {
    for (const holder of [{ pid: 2 ** 22 + 1 }, { pid: process.pid, startedAt: '1' }]) {
      const path = join(directory, 'lock');
      await writeFile(path, JSON.stringify(holder));
      expect(
        await withLock(
          path,
          async () => 'done',
          () => undefined,
        ),
      ).toBe('done');
    }
  });

  it('never leaves half a directory under its name', async () => {
    const target = join(directory, 'part');
    const interrupted = createWhole(target, async (partial) => {
      await writeFile(join(partial, 'first'), '');
      throw new Error('the line went dead');
    });
    await expect(interrupted).rejects.toThrow('the line went dead');
    expect(existsSync(target)).toBe(false);
    await createWhole(target, (partial) => writeFile(join(partial, 'first'), ''));
    expect(existsSync(join(target, 'first'))).toBe(true);
  });
});
