import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BenchArrays, BenchCase } from './cases.js';

/** What is measured: the set of metrics, and the ECE alone with the softmax done already or not. */
export const MEASURED = ['set', 'probs', 'logits'] as const;
export type Measured = (typeof MEASURED)[number];

/** The peers in Python on the same arrays, one run at a time, so that runs can alternate with ours. */
export interface Peers {
  /** @returns seconds of one run */
  run(index: number, what: Measured): Promise<number>;
  stop(): Promise<void>;
}

/** @returns undefined where this Python does not have them */
export async function startPeers(
  python: string,
  cases: readonly BenchCase[],
  arrays: readonly BenchArrays[],
): Promise<Peers | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'fidelis-bench-'));
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  for (const [index, each] of arrays.entries()) {
    for (const name of ['teacher', 'student', 'probabilities', 'labels'] as const) {
      await writeFile(join(folder, `${index}.${name}`), each[name]);
    }
  }
  const script = fileURLToPath(new URL('../../../metrics/peers.py', import.meta.url));
  const child = spawn(python, [script, folder, JSON.stringify(cases)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const gone = new Promise<undefined>((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('exit', () => resolve(undefined));
  });
  const answer = async (): Promise<string | undefined> => {
    const line = await Promise.race([lines.next(), gone]);
    return line === undefined || line.done === true ? undefined : line.value;
  };
  if ((await answer()) !== 'ready') {
    await removeFolder();
    return undefined;
  }
  return {
    run: async (index, what) => {
      child.stdin.write(`${index} ${what}\n`);
      const seconds = Number(await answer());
      if (Number.isNaN(seconds)) throw new Error(`the peers ended while they ran "${what}"`);
      return seconds;
    },
    stop: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
      await removeFolder();
    },
  };
}
