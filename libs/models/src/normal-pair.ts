import { sineAndCosine } from '@fidelis/data';

/**
 * Two independent draws of the standard normal distribution from two uniform 32-bit words (Box and Muller 1958): the same bits in every
 * engine. `Math.log`, `Math.sin` and `Math.cos` are not specified to the last bit, and differ between engine versions; here are series of
 * additions, multiplications, divisions and square roots only, which IEEE 754 rounds in one way.
 */
export function normalPair(first: number, second: number): readonly [number, number] {
  // In (0, 1): the logarithm of 0 has no value.
  const radius = Math.sqrt(-2 * naturalLogarithm((first + 0.5) / 2 ** 32));
  const [sine, cosine] = sineAndCosine(second / 2 ** 32);
  return [radius * cosine, radius * sine];
}

/** ln of a number in (0, 1], to 1e-15 relative: x = m · 2^e with m in [√½, √2), ln m = 2 · artanh((m − 1) / (m + 1)). */
export function naturalLogarithm(x: number): number {
  let mantissa = x;
  let exponent = 0;
  // Doubling is exact. Draws above 2^-1 are half of all: the loop ends after one step on average.
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    exponent -= 1;
  }
  const z = (mantissa - 1) / (mantissa + 1);
  const square = z * z;
  let series = 0;
  // |z| ≤ 0.172: the first term that is left out is below 2^-53 of the sum.
  for (let term = 21; term >= 1; term -= 2) series = series * square + 1 / term;
  return 2 * z * series + exponent * Math.LN2;
}
