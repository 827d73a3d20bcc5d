import { decodeHalf, encodeHalf } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecError } from './codec-error.js';

const softmax = (logits: readonly number[]): number[] => {
  const top = Math.max(...logits);
  const weights = logits.map((value) => Math.exp(value - top));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
};
const kl = (p: readonly number[], q: readonly number[]): number =>
  p.reduce((sum, value, index) => (value === 0 ? sum : sum + value * Math.log(value / (q[index] ?? 0))), 0);

describe('the error of a codec', () => {
  it('is none for float32', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(codecError(values, 2, 1, 3, 'f32')).toEqual({ rows: 2, klSum: 0, klMax: 0, argmaxFlips: 0 });
  });

  it('is the divergence of the rounded answers, by their probabilities', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 4, maxLength: 4 }), {
          minLength: 1,
          maxLength: 8,
        }),
        (rows) => {
          const { klSum, klMax } = codecError(Float32Array.from(rows.flat()), rows.length, 1, 4, 'f16');
          const each = rows.map((row) => {
            const exact = row.map(Math.fround);
            return kl(softmax(exact), softmax(exact.map((value) => decodeHalf(encodeHalf(value)))));
          });
          expect(klSum).toBeCloseTo(
            each.reduce((sum, value) => sum + Math.max(0, value), 0),
            6,
          );
          expect(klMax).toBeCloseTo(Math.max(...each), 6);
        },
      ),
    );
  });

  it('counts the answers that become others', () => {
    // 1,000.1 and 1,000.2 are the same half: the first of equals wins.
    const values = Float32Array.of(1_000.1, 1_000.2, 0, 3, 2, 1);
    expect(codecError(values, 2, 1, 3, 'f16')).toMatchObject({ rows: 2, argmaxFlips: 1 });
  });

  it('is measured on what the members say together', () => {
    const values = Float32Array.of(2, 1, 0, 0, 1, 2);
    const { klSum } = codecError(values, 1, 2, 3, 'f16');
    expect(klSum).toBeCloseTo(0, 6);
  });
});
