import { FidelisError } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CompensatedSum } from './compensated-sum.js';

function sumOf(terms: readonly number[]): CompensatedSum {
  const sum = new CompensatedSum();
  for (const term of terms) sum.add(term);
  return sum;
}

describe('CompensatedSum', () => {
  it('keeps what plain addition loses', () => {
    expect(sumOf([1, 1e100, 1, -1e100]).value).toBe(2);
    expect(sumOf(new Array<number>(1_000_000).fill(0.1)).value).toBe(100_000);
  });

  it('is the same for parts that are merged', () => {
    const term = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(term), fc.array(term), (first, second) => {
        const merged = sumOf(first);
        merged.merge(sumOf(second));
        const whole = sumOf([...first, ...second]).value;
        expect(Math.abs(merged.value - whole)).toBeLessThanOrEqual(1e-14 * whole);
      }),
    );
  });

  it('can be merged with itself', () => {
    const sum = sumOf([1e16, 1, 1]);
    sum.merge(sum);
    expect(sum.value).toBe(2e16 + 4);
  });

  it('is infinite once a term was, also through JSON and a merge', () => {
    const restored = CompensatedSum.fromJSON(
      JSON.parse(JSON.stringify(sumOf([1, Infinity, 2]))) as ReturnType<CompensatedSum['toJSON']>,
    );
    expect(restored.value).toBe(Infinity);
    const other = sumOf([1]);
    other.merge(restored);
    expect(other.value).toBe(Infinity);
  });

  it.each([
    { sum: NaN, correction: 0, infinite: 0 },
    { sum: 0, correction: Infinity, infinite: 0 },
    { sum: 0, correction: 0, infinite: -1 },
  ])('refuses the damaged state %j', (state) => {
    expect(() => CompensatedSum.fromJSON(state)).toThrow(FidelisError);
  });
});
