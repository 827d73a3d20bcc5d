import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { z } from 'zod';
import { asStorageError } from './directories.js';

const stackStateSchema = z.object({
  pid: z.number().int().positive(),
  /** Tells the process from a later one with the same id, where the system can tell. */
  processStart: z.string().optional(),
  gatewayUrl: z.string().optional(),
  natsUrl: z.string().optional(),
});

/** What a running stack says about itself in its data directory. */
export type StackState = z.infer<typeof stackStateSchema>;

const lockFile = (dataDir: string): string => join(dataDir, 'stack.lock');

/** The stack that runs over `dataDir`; undefined if none does. */
export async function readStackState(dataDir: string): Promise<StackState | undefined> {
  const state = await read(lockFile(dataDir));
  return state !== undefined && (await isHeld(state)) ? state : undefined;
}

/** One stack per data directory. Held until release(), or until this process is gone. */
export class StackLock {
  private constructor(
    private readonly path: string,
    private readonly own: StackState,
  ) {}

  /** @throws STACK.ALREADY_RUNNING naming the process, STORAGE.UNWRITABLE */
  static async acquire(dataDir: string): Promise<StackLock> {
    const path = lockFile(dataDir);
    const processStart = await startOf(process.pid);
    const own: StackState = { pid: process.pid, ...(processStart === undefined ? {} : { processStart }) };
    // Written whole under another name and linked, so that nobody sees half of it.
    const draft = `${path}.${process.pid}`;
    try {
      await writeFile(draft, JSON.stringify(own));
      while (!(await tryLink(draft, path))) {
        const holder = await read(path);
        if (holder !== undefined && (await isHeld(holder))) throw alreadyRunning(dataDir, holder);
        await rename(path, `${path}.stale`).catch(() => undefined);
      }
    } catch (error) {
      throw asStorageError(dataDir, error);
    } finally {
      await rm(draft, { force: true });
    }
    return new StackLock(path, own);
  }

  /** Makes the addresses known to other commands on this machine. */
  async publish(addresses: Pick<StackState, 'gatewayUrl' | 'natsUrl'>): Promise<void> {
    const draft = `${this.path}.${process.pid}`;
    await writeFile(draft, JSON.stringify({ ...this.own, ...addresses }));
    await rename(draft, this.path);
  }

  async release(): Promise<void> {
    const holder = await read(this.path);
    if (holder?.pid === process.pid) await rm(this.path, { force: true });
    await rm(`${this.path}.stale`, { force: true });
  }
}

function alreadyRunning(dataDir: string, holder: StackState): FidelisError {
  const where = holder.gatewayUrl === undefined ? '' : ` at ${holder.gatewayUrl}`;
  return new FidelisError(
    'STACK.ALREADY_RUNNING',
    `a stack already runs over ${dataDir} (process ${holder.pid}${where}). Use it, stop it, or choose another data directory with FIDELIS_DATA_DIR.`,
    { details: { dataDir, pid: holder.pid } },
  );
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function read(path: string): Promise<StackState | undefined> {
  try {
    return stackStateSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return undefined;
  }
}

async function isHeld({ pid, processStart }: StackState): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = await startOf(pid);
  return processStart === undefined || now === undefined || now === processStart;
}

/** When a process began, in the kernel's ticks since boot; undefined where there is no /proc. */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}
