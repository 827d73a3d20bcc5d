import { createHash, randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** `.draft-<where its process runs>-<process>-<random>`: hidden, and no name of a dataset. */
const DRAFT = /^\.draft-([0-9a-f]{12})-(\d+)-/;
/** Nobody can tell whether a process elsewhere has ended: its draft is at rest for this long only if nobody is at it. */
const ABANDONED_AFTER_MS = 3_600_000;

/** A new directory for what is on its way into the store, or out of it. */
export async function createDraft(directory: string): Promise<string> {
  const draft = path.join(directory, `.draft-${processSpace()}-${process.pid}-${randomUUID()}`);
  await mkdir(draft);
  return draft;
}

/** Removes what killed processes left half-done; what another process is at stays. */
export async function removeAbandonedDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const [, space, pid] = DRAFT.exec(name) ?? [];
    if (space === undefined) continue;
    const draft = path.join(directory, name);
    try {
      const abandoned =
        space === processSpace()
          ? !isRunning(Number(pid))
          : Date.now() - (await lastChangeMs(draft)) > ABANDONED_AFTER_MS;
      if (abandoned) await rm(draft, { recursive: true, force: true });
    } catch {
      // Another process finished or removed it meanwhile, or it is another user's, whose next dataset clears it away.
    }
  }
}

/** Of the directory, or of a file in it, which grows while it is written. */
async function lastChangeMs(draft: string): Promise<number> {
  const files = (await readdir(draft)).map((file) => path.join(draft, file));
  const times = await Promise.all([draft, ...files].map(async (each) => (await stat(each)).mtimeMs));
  return Math.max(...times);
}

/** Where a process number means the same process: on this host, and in a container in this one alone. */
function processSpace(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // No Linux: the host is all there is.
  }
  return createHash('sha256').update(`${os.hostname()} ${namespace}`).digest('hex').slice(0, 12);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not to be signalled, and there (EPERM).
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
