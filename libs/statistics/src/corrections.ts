import { requireThat } from './requirement.js';

/**
 * Holm's step-down correction: adjusted p-values that control the chance of any false rejection among all the tests.
 * p̃₍ᵢ₎ = max_{j≤i} min(1, (m − j + 1)·p₍ⱼ₎) over the ascending p-values; rejecting where p̃ ≤ α controls it at α under any
 * dependence. Source: Holm, Scand. J. Statist. 6 (1979).
 *
 * @param pValues in any order, 0…1; the result keeps it. Equal p-values stay equal.
 * @throws FidelisError REQUEST.INVALID for a p-value outside 0…1
 */
export function holm(pValues: readonly number[]): number[] {
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length);
  let running = 0;
  order.forEach((index, rank) => {
    running = Math.max(running, Math.min(1, (pValues.length - rank) * (pValues[index] ?? 1)));
    adjusted[index] = running;
  });
  return adjusted;
}

/**
 * Benjamini and Hochberg's step-up correction: adjusted p-values that control the expected share of false ones among the
 * rejections. p̃₍ᵢ₎ = min_{j≥i} min(1, m/j·p₍ⱼ₎) over the ascending p-values; valid for independent or positively dependent
 * tests. Source: Benjamini, Hochberg, J. R. Statist. Soc. B 57 (1995).
 *
 * @param pValues in any order, 0…1; the result keeps it
 * @throws FidelisError REQUEST.INVALID for a p-value outside 0…1
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length);
  let running = 1;
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const index = order[rank] ?? 0;
    running = Math.min(running, (pValues.length / (rank + 1)) * (pValues[index] ?? 1));
    adjusted[index] = running;
  }
  return adjusted;
}

function ascending(pValues: readonly number[]): number[] {
  pValues.forEach((p, index) =>
    requireThat(p >= 0 && p <= 1, `p-values are from 0 to 1: number ${index} is ${p}`),
  );
  return pValues.map((_, index) => index).sort((a, b) => (pValues[a] ?? 0) - (pValues[b] ?? 0));
}
