import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureWritableDirectory } from '@fidelis/embedded';

const WORK = /^work-(\d+)$/;

/** Where a demo's stack keeps its data, and where its results stay. */
export interface DemoDirectory {
  readonly path: string;
  /** Keeps the document of a run; returns the file. */
  saveResult(runId: string, document: unknown): Promise<string>;
  /** Removes the data of the stack, unless it is to be kept. */
  dispose(): Promise<void>;
}

/**
 * A fresh directory, so that every demo does all of its work. What a demo that was killed left behind is removed.
 *
 * @throws FidelisError STORAGE.UNWRITABLE
 */
export async function createDemoDirectory(dataDir: string, keep: boolean): Promise<DemoDirectory> {
  const parent = join(dataDir, 'demo');
  await ensureWritableDirectory(parent);
  await removeAbandoned(parent);
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  const path = join(parent, keep ? `kept-${stamp}-${process.pid}` : `work-${process.pid}`);
  await rm(path, { recursive: true, force: true });
  await ensureWritableDirectory(path);
  return {
    path,
    async saveResult(runId, document) {
      await mkdir(parent, { recursive: true });
      const file = join(parent, `${runId}.json`);
      await writeFile(file, `${JSON.stringify(document, undefined, 2)}\n`);
      return file;
    },
    async dispose() {
      if (!keep) await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = WORK.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
