import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withSilenceLimit } from './silence-limit.js';

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

async function* every(milliseconds: number, count: number): AsyncGenerator<number> {
  for (let item = 1; item <= count; item++) {
    await pause(milliseconds);
    yield item;
  }
}

describe('withSilenceLimit', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const silent = (): Error => new Error('it is silent');

  async function collect(source: AsyncIterable<number>, readerMs = 0): Promise<number[]> {
    const seen: number[] = [];
    for await (const item of withSilenceLimit(source, 100, silent)) {
      seen.push(item);
      if (readerMs > 0) await pause(readerMs);
    }
    return seen;
  }

  it('passes on what comes in time, and ends with its source', async () => {
    const all = collect(every(99, 3));
    await vi.runAllTimersAsync();
    expect(await all).toEqual([1, 2, 3]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('throws when the next one takes too long', async () => {
    const outcome = collect(every(101, 3)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcome).toEqual(silent());
  });

  it('does not count the time of a slow reader', async () => {
    const all = collect(every(50, 3), 1_000);
    await vi.runAllTimersAsync();
    expect(await all).toEqual([1, 2, 3]);
  });

  it('throws what its source throws', async () => {
    const broken: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }),
    };
    await expect(collect(broken)).rejects.toThrow('broken');
  });
});
