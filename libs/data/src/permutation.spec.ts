import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permutation } from './permutation.js';

describe('permutation', () => {
  it('matches an independent implementation', () => {
    expect([...permutation(7, 3, 10)]).toEqual([4, 5, 6, 1, 8, 2, 3, 9, 0, 7]);
  });

  it('holds every position once', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(1000), fc.nat(300), (seed, epoch, n) => {
        const order = permutation(seed, epoch, n);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('differs between epochs and between seeds', () => {
    const first = permutation(1, 0, 100);
    expect(permutation(1, 1, 100)).not.toEqual(first);
    expect(permutation(2, 0, 100)).not.toEqual(first);
    expect(permutation(1, 0, 100)).toEqual(first);
  });

  it('puts every item in every place equally often', () => {
    const counts = new Array<number>(25).fill(0);
    for (let epoch = 0; epoch < 5_000; epoch++) {
      permutation(3, epoch, 5).forEach(
        (item, place) => (counts[place * 5 + item] = (counts[place * 5 + item] ?? 0) + 1),
      );
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(130);
  });
});
