import { describe, expect, it } from 'vitest';
import { SOURCE_PURPOSES, threefry2x32, threefrySource } from './uniform-source.js';

/** Random123 1.14.0, tests/kat_vectors, lines "threefry2x32 20": counter, key, expected. */
const KNOWN_ANSWERS = [
  '00000000 00000000 00000000 00000000   6b200159 99ba4efe',
  'ffffffff ffffffff ffffffff ffffffff   1cb996fc bb002be7',
  '243f6a88 85a308d3 13198a2e 03707344   c4923a9c 483df7a0',
];

describe('threefry2x32', () => {
  it.each(KNOWN_ANSWERS)('gives the published answer %s', (line) => {
    const words = line.split(/\s+/).map((hex) => Number.parseInt(hex, 16));
    const [c0 = NaN, c1 = NaN, k0 = NaN, k1 = NaN, ...expected] = words;
    const out = new Uint32Array(2);
    threefry2x32(c0, c1, k0, k1, out);
    expect([...out]).toEqual(expected);
  });
});

describe('threefrySource', () => {
  const word = (seed: number, purpose: number, stream: number, counter: number): number => {
    const out = new Uint32Array(2);
    threefrySource(seed, purpose).fill(stream, counter, out);
    return out[0] ?? NaN;
  };

  it('is a function of where the words are used', () => {
    expect(word(7, 1, 5, 9)).toBe(word(7, 1, 5, 9));
  });

  it('gives other words for another seed, purpose, stream or counter', () => {
    const words = [word(7, 1, 5, 9), word(8, 1, 5, 9), word(7, 2, 5, 9), word(7, 1, 6, 9), word(7, 1, 5, 10)];
    expect(new Set(words).size).toBe(words.length);
    expect(SOURCE_PURPOSES.bootstrap).not.toBe(SOURCE_PURPOSES.permutation);
  });
});
