import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sineAndCosine } from './trigonometry.js';

describe('sineAndCosine', () => {
  it('are those of the engine to 15 digits, in both directions', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (turns) => {
        const [sine, cosine] = sineAndCosine(turns);
        expect(Math.abs(sine - Math.sin(2 * Math.PI * turns))).toBeLessThan(4e-15);
        expect(Math.abs(cosine - Math.cos(2 * Math.PI * turns))).toBeLessThan(4e-15);
      }),
    );
  });

  it.each([
    [0, 0, 1],
    [0.25, 1, 0],
    [0.5, 0, -1],
    [0.75, -1, 0],
    [-0.25, -1, 0],
    [-0.5, 0, -1],
  ])('are exact at quarters of a turn: %d', (turns, sine, cosine) => {
    const found = sineAndCosine(turns);
    expect(found[0] + 0).toBe(sine);
    expect(found[1] + 0).toBe(cosine);
  });

  it('keep their bits for ever', () => {
    expect(sineAndCosine(3_987_654_321 / 2 ** 32)).toEqual([-0.4345816404129062, 0.9006324432397644]);
  });
});
