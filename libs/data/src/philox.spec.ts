import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multiplyHigh, philox4x32, type PhiloxCounter, type PhiloxKey } from './philox.js';

/** Random123 1.14.0, tests/kat_vectors, lines "philox4x32 10": counter, key, expected. */
const KNOWN_ANSWERS = [
  '00000000 00000000 00000000 00000000 00000000 00000000   6627e8d5 e169c58d bc57ac4c 9b00dbd8',
  'ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff   408f276d 41c83b0e a20bc7c6 6d5451fd',
  '243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0   d16cfe09 94fdcceb 5001e420 24126ea1',
];

const word = fc.integer({ min: 0, max: 0xffffffff });

describe('philox4x32', () => {
  it.each(KNOWN_ANSWERS)('gives the published answer %s', (line) => {
    const words = line.split(/\s+/).map((hex) => Number.parseInt(hex, 16));
    const counter = words.slice(0, 4) as unknown as PhiloxCounter;
    const key = words.slice(4, 6) as unknown as PhiloxKey;
    expect(philox4x32(counter, key)).toEqual(words.slice(6));
  });
});

describe('multiplyHigh', () => {
  it('is the upper half of the 64-bit product', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(multiplyHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n));
      }),
    );
    expect(multiplyHigh(0xffffffff, 0xffffffff)).toBe(0xfffffffe);
  });
});
