import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { benjaminiHochberg, holm } from './corrections.js';
import { discordantPairs, mcnemarTest } from './mcnemar.js';
import { normalCdf, normalQuantile } from './normal.js';
import { pairedPermutationTest } from './permutation-test.js';
import { studentTCritical, studentTInterval } from './student-t.js';

describe('mcnemarTest', () => {
  it('counts only the samples on which one of the two is right', () => {
    expect(discordantPairs([1, 1, 0, 0, 1], [1, 0, 1, 0, 0])).toEqual({ onlyFirst: 2, onlySecond: 1 });
    expect(() => discordantPairs([1], [])).toThrow(/1 and 0/);
  });

  it('is exact below 25 discordant pairs and χ² from there', () => {
    expect(mcnemarTest({ onlyFirst: 4, onlySecond: 20 }).method).toBe('exact');
    expect(mcnemarTest({ onlyFirst: 5, onlySecond: 20 }).method).toBe('chi-squared');
  });

  it('does not depend on the order of the two models, and p is a probability', () => {
    const count = fc.nat({ max: 3000 });
    fc.assert(
      fc.property(count, count, (onlyFirst, onlySecond) => {
        const { pValue } = mcnemarTest({ onlyFirst, onlySecond });
        expect(pValue).toBe(mcnemarTest({ onlyFirst: onlySecond, onlySecond: onlyFirst }).pValue);
        expect(pValue).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each([
    { onlyFirst: -1, onlySecond: 2 },
    { onlyFirst: 0.5, onlySecond: 2 },
  ])('refuses %o', (pairs) => {
    expect(() => mcnemarTest(pairs)).toThrow(/whole/);
  });
});

describe('pairedPermutationTest', () => {
  it('finds all signs alike as improbable as 2 of 2^m', () => {
    expect(pairedPermutationTest([1, 2, 3, 4], { seed: 0 })).toEqual({
      meanDifference: 2.5,
      pValue: 2 / 16,
      method: 'exact',
      permutations: 16,
    });
  });

  it('finds nothing where nothing differs', () => {
    expect(pairedPermutationTest([0, 0, 0], { seed: 0 })).toMatchObject({ pValue: 1, meanDifference: 0 });
  });

  it('leaves zeros out of the assignments but not out of the mean', () => {
    expect(pairedPermutationTest([1, 0, 1, 0], { seed: 0 })).toMatchObject({
      meanDifference: 0.5,
      permutations: 4,
    });
  });

  it('is never 0 by Monte Carlo, and the same for the same seed', () => {
    const differences = Array.from({ length: 100 }, () => 1);
    const result = pairedPermutationTest(differences, { seed: 3, permutations: 999 });
    expect(result).toEqual({ meanDifference: 1, pValue: 1 / 1000, method: 'monte-carlo', permutations: 999 });
    expect(pairedPermutationTest(differences, { seed: 3, permutations: 999 })).toEqual(result);
  });

  it('agrees by Monte Carlo with the binomial test where all differences have one size', () => {
    // 17 of 20 positive: P(|X − 10| ≥ 7) for X ~ Binomial(20, ½) = 2·(1140 + 190 + 20 + 1)/2^20.
    const differences = Array.from({ length: 20 }, (_, index) => (index < 17 ? 0.1 : -0.1));
    const expected = (2 * 1351) / 2 ** 20;
    const { pValue } = pairedPermutationTest(differences, { seed: 1, permutations: 200_000 });
    expect(Math.abs(pValue - expected)).toBeLessThan(4 * Math.sqrt(expected / 200_000));
  });

  it.each([
    [[], {}, /at least one/],
    [[1, Infinity], {}, /number 1 is Infinity/],
    [[1], { permutations: 0 }, /permutations/],
    [[1], { seed: -1 }, /seed/],
  ])('refuses %o with %o', (differences, settings, message) => {
    expect(() => pairedPermutationTest(differences, { seed: 1, ...settings })).toThrow(message);
  });
});

describe('corrections', () => {
  const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

  it('never lower a p-value, keep the order, and Holm is at least Benjamini–Hochberg', () => {
    fc.assert(
      fc.property(pValues, (ps) => {
        const strict = holm(ps);
        const loose = benjaminiHochberg(ps);
        ps.forEach((p, index) => {
          expect(loose[index]).toBeGreaterThanOrEqual(p * (1 - 1e-12));
          expect(strict[index]).toBeGreaterThanOrEqual((loose[index] ?? 0) * (1 - 1e-12));
          ps.forEach((other, at) => {
            if (p < other) expect(strict[index]).toBeLessThanOrEqual(strict[at] ?? 0);
          });
        });
      }),
    );
  });

  it.each([1.5, -0.1, NaN])('refuse %d', (p) => {
    expect(() => holm([0.5, p])).toThrow(/number 1/);
    expect(() => benjaminiHochberg([0.5, p])).toThrow(/number 1/);
  });
});

describe('distributions', () => {
  it('invert each other', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 0.9999, noNaN: true }), (p) => {
        expect(Math.abs(normalCdf(normalQuantile(p)) / p - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  it('end at the ends', () => {
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity]);
    expect([normalCdf(-Infinity), normalCdf(Infinity), normalCdf(NaN)]).toEqual([0, 1, NaN]);
    expect(() => normalQuantile(1.1)).toThrow(/0 to 1/);
  });

  it('have the closed forms of one and two degrees of freedom', () => {
    expect(studentTCritical(0.5, 1)).toBeCloseTo(1, 13);
    expect(studentTCritical(0.95, 2)).toBeCloseTo(0.95 * Math.sqrt(2 / (1 - 0.95 ** 2)), 12);
  });

  it('refuse an interval over one trial', () => {
    expect(() => studentTInterval([0.5])).toThrow(/at least two/);
    expect(() => studentTInterval([0.5, NaN])).toThrow(/number 1/);
    expect(() => studentTCritical(0.95, 0)).toThrow(/degrees/);
  });
});
