import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { naturalLogarithm, normalPair, sineAndCosine } from './normal-pair.js';

const word = fc.integer({ min: 0, max: 0xffffffff });

describe('normalPair', () => {
  it('uses a logarithm, a sine and a cosine as exact as the engine has them', () => {
    fc.assert(
      fc.property(word, (given) => {
        const x = (given + 0.5) / 2 ** 32;
        expect(Math.abs(naturalLogarithm(x) - Math.log(x))).toBeLessThanOrEqual(4e-15 * (1 - Math.log(x)));
        const [sine, cosine] = sineAndCosine(given / 2 ** 32);
        const angle = (2 * Math.PI * given) / 2 ** 32;
        expect(Math.abs(sine - Math.sin(angle))).toBeLessThan(4e-15);
        expect(Math.abs(cosine - Math.cos(angle))).toBeLessThan(4e-15);
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
