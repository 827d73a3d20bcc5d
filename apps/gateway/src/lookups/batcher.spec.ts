import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.js';

function countingBatcher(maxKeys: number): { batcher: Batcher<string | null>; calls: string[][] } {
  const calls: string[][] = [];
  const batcher = new Batcher<string | null>(
    async (keys) => {
      calls.push(keys);
      return new Map(keys.filter((key) => key !== 'unknown').map((key) => [key, key.toUpperCase()]));
    },
    null,
    maxKeys,
  );
  return { batcher, calls };
}

describe('Batcher', () => {
  it('asks once for all keys of one turn, each of them once', async () => {
    const { batcher, calls } = countingBatcher(10);
    expect(await Promise.all(['a', 'b', 'a'].map((key) => batcher.get(key)))).toEqual(['A', 'B', 'A']);
    expect(calls).toEqual([['a', 'b']]);
  });

  it('asks in parts where there are more keys than one call may have', async () => {
    const { batcher, calls } = countingBatcher(2);
    expect(await Promise.all(['a', 'b', 'c'].map((key) => batcher.get(key)))).toEqual(['A', 'B', 'C']);
    expect(calls).toEqual([['a', 'b'], ['c']]);
  });

  it('keeps nothing: later lookups ask anew', async () => {
    const { batcher, calls } = countingBatcher(2);
    await batcher.get('a');
    await batcher.get('a');
    expect(calls).toEqual([['a'], ['a']]);
  });

  it('answers a key that the answer lacks', async () => {
    expect(await countingBatcher(2).batcher.get('unknown')).toBeNull();
  });

  it('fails every lookup of a call that fails', async () => {
    const batcher = new Batcher<string>(() => Promise.reject(new Error('away')), '', 10);
    const results = await Promise.allSettled([batcher.get('a'), batcher.get('b')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
