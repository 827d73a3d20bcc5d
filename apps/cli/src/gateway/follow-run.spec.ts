import { FidelisError } from '@fidelis/contracts';
import { afterEach, expect, it } from 'vitest';
import { FakeGateway, sampleRun, withoutEvaluations } from '../testing/fake-gateway.js';
import type { RunView } from './documents.js';
import { followRun } from './follow-run.js';
import { GatewayClient } from './gateway-client.js';

const COMPLETED = withoutEvaluations(sampleRun());
const at = (step: number): RunView => ({
  ...COMPLETED,
  state: 'training',
  progress: { ...COMPLETED.progress, step },
});

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function clientOf(...gateway: Parameters<typeof FakeGateway.start>): Promise<GatewayClient> {
  const fake = await FakeGateway.start(...gateway);
  const client = new GatewayClient(fake.url);
  cleanUps.push(() => client.close().then(() => fake.stop()));
  return client;
}

async function follow(
  client: GatewayClient,
  options: Partial<Parameters<typeof followRun>[2]> = {},
): Promise<number[]> {
  const steps: number[] = [];
  const onUpdate = (run: RunView): void => void steps.push(run.progress.step);
  await followRun(client, at(0), { onUpdate, signal: new AbortController().signal, pollMs: 10, ...options });
  return steps;
}

it('passes on every state until the run has ended, and never goes back', async () => {
  const client = await clientOf({ GetRun: () => ({ run: at(1) }) }, () => [at(5), at(3), at(9), COMPLETED]);
  expect(await follow(client, { pollMs: 60_000 })).toEqual([0, 5, 9, 1_407]);
});

it('finds the end by asking where no event comes', async () => {
  let asked = 0;
  const client = await clientOf({ GetRun: () => ({ run: ++asked < 3 ? at(asked) : COMPLETED }) });
  expect(await follow(client)).toEqual([0, 1, 2, 1_407]);
});

it('waits for a service that is away for a moment', async () => {
  let asked = 0;
  const client = await clientOf({
    GetRun: () => {
      if (++asked < 3) throw new FidelisError('BUS.TIMEOUT', 'no answer');
      return { run: COMPLETED };
    },
  });
  expect(await follow(client)).toEqual([0, 1_407]);
});

it('gives up when nothing answers for too long', async () => {
  const fake = await FakeGateway.start({});
  const client = new GatewayClient(fake.url);
  await fake.stop();
  await expect(follow(client, { patienceMs: 30 })).rejects.toMatchObject({ code: 'GATEWAY.UNAVAILABLE' });
  await client.close();
});

it('fails at once with what waiting cannot heal', async () => {
  const client = await clientOf({
    GetRun: () => {
      throw new FidelisError('RUN.NOT_FOUND', 'there is no such run');
    },
  });
  await expect(follow(client)).rejects.toMatchObject({ code: 'RUN.NOT_FOUND' });
});

it('ends when it is aborted, with the reason', async () => {
  const client = await clientOf({ GetRun: () => ({ run: at(1) }) });
  const controller = new AbortController();
  const following = follow(client, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(following).rejects.toThrow('enough');
});
