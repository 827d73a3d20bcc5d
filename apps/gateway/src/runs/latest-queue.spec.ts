import { describe, expect, it } from 'vitest';
import { LatestQueue } from './latest-queue.js';

function queueOf(capacity: number): { queue: LatestQueue<number>; ends: () => number } {
  let ends = 0;
  const queue = new LatestQueue<number>(capacity, () => {
    ends += 1;
  });
  return { queue, ends: () => ends };
}

async function rest(queue: LatestQueue<number>): Promise<number[]> {
  const items: number[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

describe('LatestQueue', () => {
  it('gives a fast reader every item in order', async () => {
    const { queue } = queueOf(2);
    const first = queue.next();
    queue.push(1);
    expect(await first).toEqual({ done: false, value: 1 });
    queue.push(2);
    queue.end();
    expect(await rest(queue)).toEqual([2]);
  });

  it('drops the oldest items of a slow reader and says how many', async () => {
    const { queue } = queueOf(3);
    for (let item = 1; item <= 1_000; item += 1) queue.push(item);
    queue.end();
    expect(queue.dropped).toBe(997);
    expect(await rest(queue)).toEqual([998, 999, 1_000]);
  });

  it('gives what is queued before the failure, and the failure once', async () => {
    const { queue } = queueOf(3);
    queue.push(1);
    queue.end(new Error('the source is gone'));
    expect(await queue.next()).toEqual({ done: false, value: 1 });
    await expect(queue.next()).rejects.toThrow('the source is gone');
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it('ends an open next() at once when the reader leaves', async () => {
    const { queue, ends } = queueOf(3);
    const open = queue.next();
    await queue.return();
    expect(await open).toEqual({ done: true, value: undefined });
    expect(ends()).toBe(1);
  });

  it('tells of its end once', async () => {
    const { queue, ends } = queueOf(3);
    queue.end();
    queue.end(new Error('late'));
    await queue.return();
    expect(ends()).toBe(1);
    expect(await rest(queue)).toEqual([]);
  });
});
