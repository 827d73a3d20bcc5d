import { LogitLog, type NatsConnection } from '@fidelis/bus';
import { FidelisError } from '@fidelis/contracts';
import { startTestNats, type TestNats } from '@fidelis/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTo } from './bus-fixture.js';
import { contentOf, contentsOf, PARTS, stepFrames } from './log-frames.js';

const STEPS = 40;
const RUNS = 20;

type Action =
  | { readonly kind: 'publish'; readonly steps: number }
  | { readonly kind: 'purge'; readonly beforeStep: number }
  | { readonly kind: 'renew'; readonly firstStep: number }
  | { readonly kind: 'remove' };

const step = fc.nat(STEPS);
/** How often a teacher looks: sooner, or later, than a reader that has lost its place looks at the log again. */
const lookMs = fc.constantFrom(20, 400);
const publishing = fc.record({
  kind: fc.constant('publish' as const),
  steps: fc.integer({ min: 1, max: 8 }),
});
const upkeep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('purge' as const), beforeStep: step }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('renew' as const), firstStep: step }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const) }) },
);
const actions = fc.array(fc.oneof(publishing, upkeep), { minLength: 2, maxLength: 6 });

describe('a logit log', () => {
  let nats: TestNats;
  let connections: NatsConnection[];
  let keys = 0;

  beforeAll(async () => {
    nats = await startTestNats();
    connections = await Promise.all([connectTo(nats.url), connectTo(nats.url), connectTo(nats.url)]);
  });
  afterAll(async () => {
    await Promise.all((connections ?? []).map((connection) => connection.close()));
    await nats?.dispose();
  });

  /** One replica of a teacher: where the log is another than it thought, it looks where that ends. */
  async function publish(log: LogitLog, key: string, steps: number): Promise<void> {
    for (let published = 0; published < steps; published++) {
      const next = (await log.lastStep(key, PARTS)) + 1;
      if (next >= STEPS) return;
      try {
        await log.append(key, PARTS, next, stepFrames(key, next));
      } catch (error) {
        if (!FidelisError.is(error) || error.code !== 'STREAM.NOT_FOUND') throw error;
        await log.ensure(key);
      }
    }
  }

  async function act(log: LogitLog, key: string, action: Action): Promise<void> {
    switch (action.kind) {
      case 'publish':
        return publish(log, key, action.steps);
      case 'purge':
        return log.purge(key, { parts: PARTS, beforeStep: action.beforeStep });
      case 'renew':
        return void (await log.renew(key, { parts: PARTS, firstStep: action.firstStep }));
      case 'remove':
        return log.remove(key);
    }
  }

  it('brings a reader each step from its first on exactly once, in order, whatever publishers, purges and renewals do meanwhile', async () => {
    let losses = 0;
    await fc.assert(
      fc.asyncProperty(
        actions,
        actions,
        step,
        fc.nat(20),
        lookMs,
        async (ours, theirs, fromStep, pauseAt, pauseMs) => {
          const key = (++keys).toString(16).padStart(16, '0');
          const [log, rival, mine] = connections.map((connection) => new LogitLog(connection)) as [
            LogitLog,
            LogitLog,
            LogitLog,
          ];
          await log.ensure(key);
          const received: number[][] = [];
          let isDone = false;
          let actors = 2;
          let onActed = (): void => undefined;
          const acted = new Promise<void>((resolve) => {
            onActed = resolve;
          });
          const reading = (async () => {
            const frames = mine.read(key, {
              parts: PARTS,
              fromStep,
              toStep: STEPS,
              silenceMs: 1_000,
              onGone: 'wait',
              goneLimitMs: 30_000,
              onLoss: () => losses++,
            });
            for await (const frame of frames) {
              // A slow one has the log change behind and before it.
              if (received.length === pauseAt) await acted;
              received.push(contentOf(frame));
            }
          })().finally(() => {
            isDone = true;
          });
          /** As teacher-svc does it: what the reader may still need is there, or is produced again. */
          const serve = async (who: LogitLog): Promise<void> => {
            while (!isDone) {
              await new Promise((resolve) => setTimeout(resolve, pauseMs));
              const need = fromStep + Math.floor(received.length / PARTS);
              await who.renew(key, { parts: PARTS, firstStep: need });
              await publish(who, key, STEPS);
            }
          };
          const run = async (who: LogitLog, plan: readonly Action[]): Promise<void> => {
            for (const action of plan) await act(who, key, action);
            if (--actors === 0) onActed();
            await serve(who);
          };
          await Promise.all([run(log, ours), run(rival, theirs), reading]);
          expect(received).toEqual(contentsOf(fromStep, STEPS));
          expect((await log.info(key))?.lastSequence ?? 0).toBeLessThanOrEqual(STEPS * PARTS);
          await log.remove(key);
        },
      ),
      { numRuns: RUNS, seed: 6, endOnFailure: true },
    );
    // Otherwise nothing of this was tried.
    expect(losses).toBeGreaterThan(0);
  }, 240_000);
});
