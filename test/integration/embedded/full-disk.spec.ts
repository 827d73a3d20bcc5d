import { execFileSync } from 'node:child_process';
import { startStack } from '@fidelis/embedded';
import { createTemporaryDirectory, type TemporaryDirectory } from '@fidelis/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Mounting a small disk needs rights that only some machines give. */
function mountSmallDisk(path: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a stack on a disk of its own', () => {
  let directory: TemporaryDirectory;
  beforeEach(async () => {
    directory = await createTemporaryDirectory('disk-spec');
  });
  afterEach(async () => {
    try {
      execFileSync('umount', [directory.path], { stdio: 'ignore' });
    } catch {
      // It was not mounted.
    }
    await directory.remove();
  });

  it.for([
    ['fills up while the database is made', 'size=24m', /No space left/],
    ['is read-only', 'ro', /read-only/],
  ] as const)('says what to do when it %s', async ([, options, reason], { skip }) => {
    if (!mountSmallDisk(directory.path, options)) skip('this machine lets us mount no disk');
    const outcome = startStack({ dataDir: directory.path, services: [], minFreeBytes: 0 });
    await expect(outcome).rejects.toMatchObject({
      code: 'STORAGE.UNWRITABLE',
      message: expect.stringMatching(reason) as string,
    });
  });
});
