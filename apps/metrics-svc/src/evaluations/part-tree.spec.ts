import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergesOf, type PartRange } from './part-tree.js';

/** Stores parts in this order, and notes every merge as (left, right). */
function store(parts: readonly number[]): { stored: PartRange[]; joined: Set<string>; most: number } {
  let stored: PartRange[] = [];
  const joined = new Set<string>();
  let most = 0;
  for (const part of parts) {
    const merges = mergesOf(stored, part);
    if (merges === undefined) continue;
    let current: PartRange = { first: part, parts: 1 };
    for (const range of merges.absorbed) {
      const [left, right] = range.first < current.first ? [range, current] : [current, range];
      expect(left.first + left.parts).toBe(right.first);
      joined.add(`${left.first}+${left.parts}|${right.first}+${right.parts}`);
      current = { first: left.first, parts: left.parts + right.parts };
    }
    expect(current).toEqual(merges.result);
    const gone = new Set(merges.absorbed.map(({ first }) => first));
    stored = [...stored.filter(({ first }) => !gone.has(first)), current];
    most = Math.max(most, stored.length);
  }
  return { stored: stored.toSorted((a, b) => a.first - b.first), joined, most };
}

const numbers = (count: number): number[] => [...Array(count).keys()];
const orders = fc
  .integer({ min: 1, max: 200 })
  .chain((count) => fc.shuffledSubarray(numbers(count), { minLength: count }));

describe('the ranges of an evaluation', () => {
  it('are merged in the same pairs, whatever the order of the parts', () => {
    fc.assert(
      fc.property(orders, fc.array(fc.nat(199)), (order, again) => {
        const repeated = [...order, ...again.filter((part) => part < order.length)];
        const mixed = store(repeated);
        const sorted = store(numbers(order.length));
        expect(mixed.stored).toEqual(sorted.stored);
        expect(mixed.joined).toEqual(sorted.joined);
      }),
    );
  });

  it('are the powers of two of their number, and never more on the way', () => {
    for (const count of [1, 2, 3, 11, 105, 128, 200]) {
      const { stored, most } = store(numbers(count));
      const bits = [...count.toString(2)].filter((bit) => bit === '1');
      expect(stored).toHaveLength(bits.length);
      expect(stored.reduce((sum, { parts }) => sum + parts, 0)).toBe(count);
      expect(most).toBeLessThanOrEqual(Math.floor(Math.log2(count)) + 1);
    }
  });

  it.each([4, 5, 6, 7])('know part %i of a range that is stored', (part) => {
    expect(mergesOf([{ first: 4, parts: 4 }], part)).toBeUndefined();
  });
});
