import { normalCdf, normalQuantile } from './normal.js';
import { requireLevel, requireThat } from './requirement.js';

export interface Bounds {
  readonly lo: number;
  readonly hi: number;
}

/**
 * The q-quantile by linear interpolation between order statistics at (n − 1)·q: Hyndman and Fan's type 7, the default of
 * `numpy.quantile`.
 *
 * @param sorted ascending, at least one
 * @param q 0…1
 */
export function quantile(sorted: Float64Array, q: number): number {
  const position = (sorted.length - 1) * q;
  const index = Math.min(Math.floor(position), sorted.length - 1);
  const low = sorted[index] ?? NaN;
  const high = sorted[index + 1] ?? low;
  return low === high ? low : low + (high - low) * (position - index);
}

/**
 * Percentile interval: the (1 − level)/2 and (1 + level)/2 quantiles of the resampled figures (Efron, Tibshirani, "An
 * Introduction to the Bootstrap", 1993, §13.3).
 *
 * @param distribution the figures of the resamples, in any order
 * @throws FidelisError REQUEST.INVALID for an empty distribution or a bad level
 */
export function percentileInterval(distribution: Float64Array, level: number): Bounds {
  requireLevel(level);
  requireThat(
    distribution.length > 0,
    'an interval needs at least one resample on which its statistic is defined',
  );
  const sorted = distribution.slice().sort();
  const tail = (1 - level) / 2;
  return { lo: quantile(sorted, tail), hi: quantile(sorted, 1 - tail) };
}

/**
 * Bias-corrected and accelerated interval (Efron, Tibshirani 1993, §14.3): the quantiles αₖ = Φ(z₀ + (z₀ + zₖ)/(1 − a(z₀ + zₖ)))
 * of the resampled figures for zₖ = Φ⁻¹((1 ∓ level)/2), with
 * - bias correction z₀ = Φ⁻¹(share of resampled figures below the estimate, those equal to it counted half). A share of 0 or 1 has no
 *   finite z₀ and is taken as half a resample from the end;
 * - acceleration a = Σ Uᵢ³/(6·(Σ Uᵢ²)^1.5), Uᵢ = θ̄₍.₎ − θ₍ᵢ₎ from the jackknife; 0 where all are equal.
 *
 * A figure that resampling moves in one direction, as an ECE near 0 is moved up, has a large z₀: the interval is then made of a few
 * extreme resamples and is wide of its level.
 *
 * @param distribution the figures of the resamples, in any order
 * @param jackknife the figures with one sample, or one group of samples, left out
 * @throws FidelisError REQUEST.INVALID for an empty distribution or a bad level
 */
export function bcaInterval(
  distribution: Float64Array,
  estimate: number,
  jackknife: Float64Array,
  level: number,
): Bounds {
  requireLevel(level);
  requireThat(
    distribution.length > 0,
    'an interval needs at least one resample on which its statistic is defined',
  );
  const sorted = distribution.slice().sort();
  const bias = biasCorrection(sorted, estimate);
  const acceleration = accelerationOf(jackknife);
  const bound = (probability: number): number => {
    const shifted = bias + normalQuantile(probability);
    const scale = 1 - acceleration * shifted;
    // At or beyond its pole the transformation has run to the end of the distribution.
    const z = scale > 0 ? bias + shifted / scale : Math.sign(shifted) * Infinity;
    return quantile(sorted, normalCdf(z));
  };
  const tail = (1 - level) / 2;
  return { lo: bound(tail), hi: bound(1 - tail) };
}

function biasCorrection(sorted: Float64Array, estimate: number): number {
  let below = 0;
  let equal = 0;
  for (const figure of sorted) {
    if (figure < estimate) below++;
    else if (figure === estimate) equal++;
  }
  const end = 0.5 / sorted.length;
  return normalQuantile(Math.min(1 - end, Math.max(end, (below + equal / 2) / sorted.length)));
}

function accelerationOf(jackknife: Float64Array): number {
  const mean = jackknife.reduce((sum, figure) => sum + figure, 0) / jackknife.length;
  let squares = 0;
  let cubes = 0;
  for (const figure of jackknife) {
    const influence = mean - figure;
    squares += influence ** 2;
    cubes += influence ** 3;
  }
  const scale = squares ** 1.5;
  return scale > 0 ? cubes / (6 * scale) : 0;
}
