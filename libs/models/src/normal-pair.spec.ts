import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { naturalLogarithm, normalPair } from './normal-pair.js';

const word = fc.integer({ min: 0, max: 0xffffffff });

describe('normalPair', () => {
  it('uses a logarithm as exact as the engine has it', () => {
    fc.assert(
      fc.property(word, (given) => {
        const x = (given + 0.5) / 2 ** 32;
        expect(Math.abs(naturalLogarithm(x) - Math.log(x))).toBeLessThanOrEqual(4e-15 * (1 - Math.log(x)));
      }),
    );
  });

  it('is finite at the ends', () => {
    for (const first of [0, 0xffffffff]) {
      for (const second of [0, 0xffffffff])
        expect(normalPair(first, second).every(Number.isFinite)).toBe(true);
    }
  });

  it('keeps its values for ever', () => {
    expect(normalPair(123_456_789, 3_987_654_321)).toMatchInlineSnapshot(`
      [
        2.399575558487278,
        -1.1578657756885866,
      ]
    `);
  });
});
