import { erfc } from './normal.js';
import { requireThat } from './requirement.js';

/** Below this many discordant pairs the binomial probability is exact; from it on, χ². */
export const EXACT_BELOW = 25;

export interface DiscordantPairs {
  /** Samples where only the first is right. */
  readonly onlyFirst: number;
  /** Samples where only the second is right. */
  readonly onlySecond: number;
}

export interface McNemarResult extends DiscordantPairs {
  readonly method: 'exact' | 'chi-squared';
  /** exact: the smaller of the two counts; chi-squared: the statistic with one degree of freedom. */
  readonly statistic: number;
  /** Two-sided. */
  readonly pValue: number;
}

/**
 * Counts the samples on which exactly one of two models is right. Pairs on which both agree carry no information.
 *
 * @param first 0 or 1 (false or true) per sample
 * @param second the same samples in the same order
 * @throws FidelisError REQUEST.INVALID if the lengths differ
 */
export function discordantPairs(first: ArrayLike<number>, second: ArrayLike<number>): DiscordantPairs {
  requireThat(
    first.length === second.length,
    `paired outcomes have one length: got ${first.length} and ${second.length}`,
  );
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let index = 0; index < first.length; index++) {
    const a = first[index] !== 0;
    const b = second[index] !== 0;
    if (a && !b) onlyFirst++;
    if (b && !a) onlySecond++;
  }
  return { onlyFirst, onlySecond };
}

/**
 * McNemar's test that two models are right equally often on the same samples, two-sided. With b and c samples that only the
 * first and only the second has right, n = b + c:
 * - n < 25: exact, p = min(1, 2·Σ_{k=0}^{min(b,c)} C(n,k)/2ⁿ);
 * - otherwise χ² = max(0, |b − c| − 1)²/n with Edwards' continuity correction, p = P(χ²₁ ≥ χ²) = erfc(√(χ²/2)).
 *
 * b = c gives p = 1 in both (statsmodels 0.14 does not stop the corrected difference at 0 and gives less than 1 there), and so
 * do no discordant pairs.
 *
 * Source: McNemar, Psychometrika 12 (1947); Edwards, Psychometrika 13 (1948).
 *
 * @param method the default chooses as above
 * @throws FidelisError REQUEST.INVALID for counts that are not whole and at least 0
 */
export function mcnemarTest(pairs: DiscordantPairs, method?: McNemarResult['method']): McNemarResult {
  const { onlyFirst, onlySecond } = pairs;
  for (const count of [onlyFirst, onlySecond]) {
    requireThat(
      Number.isSafeInteger(count) && count >= 0,
      `numbers of discordant pairs are whole and not negative: got ${count}`,
    );
  }
  const total = onlyFirst + onlySecond;
  const smaller = Math.min(onlyFirst, onlySecond);
  if (method === undefined ? total < EXACT_BELOW : method === 'exact') {
    return {
      onlyFirst,
      onlySecond,
      method: 'exact',
      statistic: smaller,
      pValue: Math.min(1, 2 * binomialHalfCdf(smaller, total)),
    };
  }
  const excess = Math.max(0, Math.abs(onlyFirst - onlySecond) - 1);
  const statistic = total === 0 ? 0 : (excess * excess) / total;
  return { onlyFirst, onlySecond, method: 'chi-squared', statistic, pValue: erfc(Math.sqrt(statistic / 2)) };
}

/** P(X ≤ k) for X ~ Binomial(n, ½): Σ_{i≤k} C(n,i)/2ⁿ, each term from the one above, from the largest down. */
function binomialHalfCdf(k: number, n: number): number {
  let logLargest = -n * Math.LN2;
  for (let i = 1; i <= k; i++) logLargest += Math.log((n - i + 1) / i);
  let term = Math.exp(logLargest);
  let sum = term;
  for (let i = k; i > 0; i--) {
    term *= i / (n - i + 1);
    sum += term;
  }
  return sum;
}
