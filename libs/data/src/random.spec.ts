import { FidelisError } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philox4x32 } from './philox.js';
import { RANDOM_DOMAINS, randomBelow, randomKey, randomUint32, randomUnit } from './random.js';

const key = randomKey(9, 'initialisation');

describe('randomUint32', () => {
  it('takes four numbers from each block of the stream', () => {
    expect([0, 1, 2, 3].map((counter) => randomUint32(key, [1, 2], counter))).toEqual([
      1988265456, 864468317, 2583863537, 1043482101,
    ]);
    expect(randomUint32(key, [1, 2], 4)).toBe(philox4x32([1, 0, 1, 2], key)[0]);
  });

  it('carries the block number into the second counter word', () => {
    const block = 3 * 2 ** 32 + 0xffffffff;
    expect(randomUint32(key, [1, 2], block * 4 + 3)).toBe(627948278);
  });

  it('differs between purposes, seeds and streams', () => {
    const keys = Object.keys(RANDOM_DOMAINS) as (keyof typeof RANDOM_DOMAINS)[];
    const numbers = [
      ...keys.map((domain) => randomUint32(randomKey(0, domain), [0, 0], 0)),
      ...[[0, 1] as const, [1, 0] as const].map((stream) => randomUint32(key, stream, 0)),
      randomUint32(randomKey(1, 'subset'), [0, 0], 0),
    ];
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});

describe('randomUnit', () => {
  it('is the 32-bit number as a fraction, at least 0 and below 1', () => {
    fc.assert(
      fc.property(fc.nat(), (counter) => {
        const unit = randomUnit(key, [3, 4], counter);
        expect(unit * 2 ** 32).toBe(randomUint32(key, [3, 4], counter));
        expect(unit).toBeGreaterThanOrEqual(0);
        expect(unit).toBeLessThan(1);
      }),
    );
  });
});

describe('randomBelow', () => {
  it('matches an independent implementation, rejected draws included', () => {
    // A bound of 3·10^9 rejects three draws in ten.
    const drawn = [0, 1, 2, 3, 4, 5].map((counter) =>
      randomBelow(randomKey(5, 'augmentation'), [1, 2], counter, 3_000_000_000),
    );
    expect(drawn).toEqual([1259996315, 2701172545, 11161891, 2664720380, 2183200776, 2561646023]);
  });

  it('stays below its bound', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 0xffffffff }), (counter, bound) => {
        const value = randomBelow(key, [0, 0], counter, bound);
        expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
      }),
    );
    expect(randomBelow(key, [0, 0], 0, 1)).toBe(0);
  });

  it('is uniform', () => {
    const counts = new Array<number>(7).fill(0);
    const draws = 14_000;
    for (let counter = 0; counter < draws; counter++) {
      const value = randomBelow(key, [0, 7], counter, 7);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    const expected = draws / 7;
    const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 99.9 % point of chi-squared with 6 degrees of freedom; the draws are fixed, so this cannot flicker.
    expect(chiSquared).toBeLessThan(22.46);
  });

  it.each([0, -1, 1.5, 2 ** 32, NaN])('refuses the bound %d', (bound) => {
    expect(() => randomBelow(key, [0, 0], 0, bound)).toThrow(FidelisError);
  });
});
