import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from './nearest-name.js';

describe('editDistance', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['flaw', 'lawn', 2],
    ['same', 'same', 0],
  ])('of %s and %s is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is a metric', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });
});

describe('nearestName', () => {
  const known = ['temperature', 'alpha', 'mnist', 'lr'];

  it.each([
    ['temprature', 'temperature'],
    ['MNITS', 'mnist'],
    ['alhpa', 'alpha'],
    ['lt', 'lr'],
  ])('takes %s for %s', (written, meant) => {
    expect(nearestName(written, known)).toBe(meant);
  });

  it('has no suggestion for a word that is like none', () => {
    expect(nearestName('imagenet', known)).toBeUndefined();
    expect(nearestName('xy', known)).toBeUndefined();
    expect(nearestName('mnist', [])).toBeUndefined();
  });
});
