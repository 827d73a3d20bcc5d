import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { STREAMS } from '@fidelis/contracts';
import { waitFor } from '@fidelis/testing';
import { expect } from 'vitest';
import type { Run } from '../../e2e/running-stack.js';
import { childrenOf, orphans } from './child-processes.js';
import type { FaultStack } from './fault-stack.js';

/** The server forgets a reader that died after 20 seconds; this is what may be seen of it at most. */
const CONSUMER_DEADLINE_MS = 30_000;
const CLEAN_DEADLINE_MS = 15_000;
/** A delivery whose worker was replaced comes again after its ack_wait, and finds the run ended. */
const JOB_DEADLINE_MS = 45_000;
/** What the servers keep there is theirs; the logs are for people. */
const SERVER_DIRECTORIES = ['nats', 'postgres', 'logs'];

/** A run that was disturbed came to what the undisturbed one came to, and nothing of the disturbance is left. */
export async function expectUndisturbed(stack: FaultStack, run: Run, undisturbed: Run): Promise<void> {
  expect(run).toMatchObject({ state: 'completed', error: null });
  expect(run.lineage.weightsDigest).toBe(undisturbed.lineage.weightsDigest);
  expect(run.lineage.streamKey).toBe(undisturbed.lineage.streamKey);
  expect(run.lineage.teacherDigest).toBe(undisturbed.lineage.teacherDigest);
  expect(run.evaluations).toEqual(undisturbed.evaluations);
  expect(run.frames).toEqual(undisturbed.frames);
  expect(run.frames).toMatchObject({ consumed: run.frames.published, trained: run.frames.published });
  expect(run.frames.closed).toBe(true);
  await expectNothingLeft(stack);
}

/** As long as no run is under way: nothing waits on the bus, and nobody died without what belonged to them. */
export async function expectNothingLeft(stack: FaultStack): Promise<void> {
  await stack.ready();
  await waitFor(async () => (await messagesOf(stack, STREAMS.jobs.name)) === 0, {
    what: 'every job to be off the queue',
    deadlineMs: JOB_DEADLINE_MS,
  });
  await waitFor(async () => (await messagesOf(stack, STREAMS.predictions.name)) === 0, {
    what: 'every prediction to be scored',
    deadlineMs: CLEAN_DEADLINE_MS,
  });
  expect(await messagesOf(stack, STREAMS.deadLetters.name)).toBe(0);
  await gone('process whose parent died', CLEAN_DEADLINE_MS, () => orphanedProcesses(stack));
  await gone('training process', CLEAN_DEADLINE_MS, async () => trainingProcesses(stack));
  await gone('temporary file', CLEAN_DEADLINE_MS, () => temporaryFiles(stack.running.stack.dataDir));
  await gone('consumer of a logit stream', CONSUMER_DEADLINE_MS, () => streamConsumers(stack));
}

async function messagesOf({ manager }: FaultStack, stream: string): Promise<number> {
  return (await manager.streams.info(stream)).state.messages;
}

async function gone(
  what: string,
  deadlineMs: number,
  look: () => Promise<readonly (string | number)[]>,
): Promise<void> {
  let left: readonly (string | number)[] = [];
  try {
    await waitFor(async () => (left = await look()).length === 0, { what: `no ${what}`, deadlineMs });
  } catch (error) {
    throw new Error(`${what} left behind: ${left.join(', ')}`, { cause: error });
  }
}

async function orphanedProcesses({ running }: FaultStack): Promise<number[]> {
  const roots = running.stack.services.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  return orphans(running.stack.dataDir, roots);
}

function trainingProcesses({ running }: FaultStack): number[] {
  const workers = running.stack.services.filter(({ name }) => name.startsWith('student-worker'));
  return workers.flatMap(({ pid }) => (pid === undefined ? [] : childrenOf(pid)));
}

/** What the programs put where temporary files go, and drafts beside finished files. */
async function temporaryFiles(dataDir: string): Promise<string[]> {
  const inTmp = await readdir(join(dataDir, 'tmp'), { recursive: true });
  const beside: string[] = [];
  for (const entry of await readdir(dataDir)) {
    if (SERVER_DIRECTORIES.includes(entry)) continue;
    const names = await readdir(join(dataDir, entry), { recursive: true }).catch(() => []);
    beside.push(
      ...[entry, ...names].filter((name) =>
        /(draft|tmp|temp|partial)[-.]|[-.](draft|tmp|temp|partial)/i.test(name),
      ),
    );
  }
  return [...inTmp, ...beside];
}

async function streamConsumers({ manager, log }: FaultStack): Promise<string[]> {
  const names: string[] = [];
  for (const { stream } of await log.list()) {
    for await (const { name } of manager.consumers.list(stream)) names.push(`${stream} ${name}`);
  }
  return names;
}
