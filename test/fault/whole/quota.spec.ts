import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultStack } from '../harness/fault-stack.js';
import { Survival, type References } from '../harness/survival.js';

/** Room for the table alone, or for a third of the sequence: not for the table and what is left of the sequence, which is its lead at least. */
const QUOTA_BYTES = 300_000;

interface StoredStream {
  readonly state: string;
  readonly firstStep: number;
  readonly incarnation: number;
}

describe.skipIf(process.platform !== 'linux')('runs whose streams are more than the quota', () => {
  let stack: FaultStack;
  let sut: Survival;

  beforeAll(async () => {
    const references: References = new Map();
    const roomy = await FaultStack.start();
    try {
      const undisturbed = new Survival(roomy, references);
      await undisturbed.reference('sequence');
      await undisturbed.reference('table');
    } finally {
      await roomy[Symbol.asyncDispose]();
    }
    stack = await FaultStack.start({ env: { FIDELIS_STREAM_QUOTA_BYTES: String(QUOTA_BYTES) } });
    sut = new Survival(stack, references);
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  const stored = async (of: 'sequence' | 'table'): Promise<StoredStream> => {
    const key = (await sut.reference(of)).lineage.streamKey;
    const query = 'query ($key: ID!) { stream(key: $key) { state firstStep incarnation } }';
    const { data } = await stack.running.graphql(query, { key });
    return data?.['stream'] as StoredStream;
  };

  const reached = { fault: 'stream quota reached', live: false, strike: async () => undefined };

  it('are completed: of a sequence goes what its student has behind it', async (test) => {
    await sut.expectOf(test, { ...reached, of: 'sequence', strike: (run) => run.purged() });
    const { state, firstStep } = await stored('sequence');
    expect(state).toBe('complete');
    expect(firstStep).toBeGreaterThan(0);
  });

  it('are completed: for a table goes a stream that nobody reads', async (test) => {
    await sut.expectOf(test, { ...reached, of: 'table' });
    expect(await stored('sequence')).toMatchObject({ state: 'expired' });
    expect(await stored('table')).toMatchObject({ state: 'complete', firstStep: 0 });
  });

  it('are completed again: what went is scored anew', async (test) => {
    await sut.expectOf(test, {
      ...reached,
      fault: 'stream quota reached, of an expired stream',
      of: 'sequence',
    });
    expect(await stored('table')).toMatchObject({ state: 'expired' });
  });
});
