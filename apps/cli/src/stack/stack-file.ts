import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const stackFileSchema = z.object({
  gatewayUrl: z.url(),
  /** Of the command that runs the stack. */
  pid: z.int().positive(),
  startedAt: z.string(),
});
/** Says where the embedded stack that runs on this machine answers. */
export type StackFile = z.output<typeof stackFileSchema>;

const fileOf = (dataDir: string): string => join(dataDir, 'stack.json');

/** The stack that runs now; undefined if none does, or if its file was left by one that was killed. */
export async function readStackFile(dataDir: string): Promise<StackFile | undefined> {
  const text = await readFile(fileOf(dataDir), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const stack = stackFileSchema.parse(JSON.parse(text));
    return isAlive(stack.pid) ? stack : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Announces a stack, unless another one that runs is announced already.
 *
 * @returns takes the announcement back
 */
export async function announceStack(dataDir: string, stack: StackFile): Promise<() => Promise<void>> {
  if ((await readStackFile(dataDir)) !== undefined) return () => Promise.resolve();
  await mkdir(dataDir, { recursive: true });
  const draft = `${fileOf(dataDir)}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(stack)}\n`);
  await rename(draft, fileOf(dataDir));
  return async () => {
    const announced = await readStackFile(dataDir);
    if (announced?.pid === stack.pid) await rm(fileOf(dataDir), { force: true });
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
