import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new directory that other users can enter too, as PostgreSQL must when the tests run as root. */
export async function createTemporaryDirectory(label = 'test'): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `fidelis-${label}-`));
  await chmod(path, 0o755);
  return {
    path,
    // A server that is just ending may still write there.
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
}
