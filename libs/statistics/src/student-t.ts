import { requireThat, requireFinite, requireLevel } from './requirement.js';

/** Bisections of (0, π/2): one more than float64 has bits to halve. */
const BISECTIONS = 64;

/**
 * The probability that a Student-t variable of `degrees` degrees of freedom lies between −t and t, with t = √degrees · tan θ:
 * the finite series for whole degrees of Abramowitz & Stegun 26.7.3 (odd) and 26.7.4 (even). O(degrees).
 *
 * @param theta radians, 0…π/2
 */
function centralProbability(theta: number, degrees: number): number {
  const sine = Math.sin(theta);
  const cosine = Math.cos(theta);
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let series = degrees === 1 ? 0 : term;
  for (let power = odd ? 3 : 2; power <= degrees - 2; power += 2) {
    term *= (cosine * cosine * (power - 1)) / power;
    series += term;
  }
  return odd ? (2 / Math.PI) * (theta + sine * series) : sine * series;
}

/**
 * The t with probability `level` between −t and t: the quantile (1 + level)/2 of Student's distribution, to about 1e-13
 * relative for levels up to 0.9999.
 *
 * @param degrees whole number, 1…100,000
 * @throws FidelisError REQUEST.INVALID for other degrees or levels
 */
export function studentTCritical(level: number, degrees: number): number {
  requireLevel(level);
  requireThat(
    Number.isInteger(degrees) && degrees >= 1 && degrees <= 100_000,
    `degrees of freedom are a whole number from 1 to 100000: got ${degrees}`,
  );
  let low = 0;
  let high = Math.PI / 2;
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (centralProbability(middle, degrees) < level) low = middle;
    else high = middle;
  }
  return Math.sqrt(degrees) * Math.tan((low + high) / 2);
}

export interface RepeatedTrials {
  readonly trials: number;
  readonly mean: number;
  /** Sample standard deviation, divisor trials − 1, in the unit of the values. */
  readonly standardDeviation: number;
  readonly standardError: number;
  readonly level: number;
  readonly lo: number;
  readonly hi: number;
}

/**
 * The mean of repeated trials with its Student-t interval: x̄ ± t·s/√n, t the quantile (1 + level)/2 with n − 1 degrees of
 * freedom. It speaks of what a further repetition's seed could give, where a bootstrap over samples speaks of other test
 * samples. Equal values give an interval of no width.
 *
 * @param values one figure per trial, in any unit, which the result keeps
 * @throws FidelisError REQUEST.INVALID for fewer than two trials or a value that is not finite
 */
export function studentTInterval(values: ArrayLike<number>, level = 0.95): RepeatedTrials {
  const trials = values.length;
  requireThat(trials >= 2, `an interval over repeated trials needs at least two of them: got ${trials}`);
  requireFinite(values, 'results of trials');
  let sum = 0;
  for (let index = 0; index < trials; index++) sum += values[index] ?? 0;
  const mean = sum / trials;
  let squares = 0;
  for (let index = 0; index < trials; index++) squares += ((values[index] ?? 0) - mean) ** 2;
  const standardDeviation = Math.sqrt(squares / (trials - 1));
  const standardError = standardDeviation / Math.sqrt(trials);
  const half = studentTCritical(level, trials - 1) * standardError;
  return { trials, mean, standardDeviation, standardError, level, lo: mean - half, hi: mean + half };
}
