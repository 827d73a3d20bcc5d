import { requireFinite, requireThat } from './requirement.js';

/** How often each sample is in a resample: `counts[i]` times sample i, Σ counts = the number of samples. */
export type ResampleCounts = Uint32Array;

/** A figure of a set of samples that can be computed again on resamples of them. */
export interface Statistic {
  readonly samples: number;
  /**
   * Called with a resample's counts before `evaluate` is: statistics that share a function here share its work, which is done once for
   * all of them on each resample.
   */
  readonly prepare?: (counts: ResampleCounts) => void;
  /** The figure of a resample; NaN where it has none, for example a ratio whose denominator is 0. */
  evaluate(counts: ResampleCounts): number;
  /** The figures with each sample left out in turn, where there is a closed form for them. */
  leaveOneOut?(): Float64Array;
}

/**
 * The mean of one value per sample: Σ cᵢxᵢ/Σ cᵢ. Accuracy and agreement from zeros and ones, KL divergence and NLL from their
 * values per sample, a difference of two models from paired differences.
 *
 * @param values finite, one per sample, at least one, not to be changed; the statistic has their unit
 * @throws FidelisError REQUEST.INVALID
 */
export function meanOf(values: ArrayLike<number>): Statistic {
  requireThat(values.length > 0, 'a mean needs at least one sample');
  requireFinite(values, 'values per sample');
  const column = float64(values);
  return {
    samples: column.length,
    evaluate: (counts) => weightedMean(column, counts),
    leaveOneOut: () => {
      const total = column.reduce((sum, value) => sum + value, 0);
      return column.map((value) => (total - value) / (column.length - 1));
    },
  };
}

/**
 * The ratio of two sums over samples: Σ cᵢxᵢ/Σ cᵢyᵢ. Agreement where the teacher is wrong, for example: x = agrees and wrong,
 * y = wrong. NaN where the denominator is 0.
 *
 * @param numerators finite, one per sample, not to be changed
 * @param denominators finite, one per sample, not to be changed
 * @throws FidelisError REQUEST.INVALID
 */
export function ratioOf(numerators: ArrayLike<number>, denominators: ArrayLike<number>): Statistic {
  requireThat(numerators.length > 0, 'a ratio needs at least one sample');
  requireThat(
    numerators.length === denominators.length,
    `a ratio's columns have one length: got ${numerators.length} and ${denominators.length}`,
  );
  requireFinite(numerators, 'numerators');
  requireFinite(denominators, 'denominators');
  const above = float64(numerators);
  const below = float64(denominators);
  return {
    samples: above.length,
    evaluate: (counts) => quotient(weightedSum(above, counts), weightedSum(below, counts)),
    leaveOneOut: () => {
      const totalAbove = above.reduce((sum, value) => sum + value, 0);
      const totalBelow = below.reduce((sum, value) => sum + value, 0);
      return above.map((value, index) => quotient(totalAbove - value, totalBelow - (below[index] ?? 0)));
    },
  };
}

/**
 * Any other figure, as a function of how often each sample counts: an ECE, for example, whose bins sum cᵢ·confidenceᵢ. It must give
 * the figure of the samples themselves when every count is 1, and be invariant to multiplying all counts.
 *
 * @param evaluate is called once per resample with an array that it must not keep; its sum is `samples`, less in the jackknife
 * @throws FidelisError REQUEST.INVALID for no samples
 */
export function functionalOf(samples: number, evaluate: (counts: ResampleCounts) => number): Statistic {
  requireThat(
    Number.isSafeInteger(samples) && samples > 0,
    `a statistic needs at least one sample: got ${samples}`,
  );
  return { samples, evaluate };
}

/**
 * Figures that are made of the same sums, such as an ECE and the largest gap of the same bins: the sums are taken once per resample.
 *
 * @param prepare sums a resample; the counts are not to be kept
 * @param figures from the sums of the last call of `prepare`, each invariant to multiplying all counts
 * @throws FidelisError REQUEST.INVALID for no samples
 */
export function sharedOf<Name extends string>(
  samples: number,
  prepare: (counts: ResampleCounts) => void,
  figures: Readonly<Record<Name, () => number>>,
): Record<Name, Statistic> {
  const statistics = Object.entries<() => number>(figures).map(([name, figure]): [string, Statistic] => [
    name,
    { ...functionalOf(samples, figure), prepare },
  ]);
  return Object.fromEntries(statistics) as Record<Name, Statistic>;
}

/** Four sums side by side, so that none waits for the addition before. */
function weightedSum(values: Float64Array, counts: ResampleCounts): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  const whole = values.length - (values.length % 4);
  for (let index = 0; index < whole; index += 4) {
    first += (values[index] ?? 0) * (counts[index] ?? 0);
    second += (values[index + 1] ?? 0) * (counts[index + 1] ?? 0);
    third += (values[index + 2] ?? 0) * (counts[index + 2] ?? 0);
    fourth += (values[index + 3] ?? 0) * (counts[index + 3] ?? 0);
  }
  for (let index = whole; index < values.length; index++) {
    first += (values[index] ?? 0) * (counts[index] ?? 0);
  }
  return first + second + (third + fourth);
}

function weightedMean(values: Float64Array, counts: ResampleCounts): number {
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index] ?? 0;
  return weightedSum(values, counts) / total;
}

/** NaN, not ±∞, where there is no denominator. */
function quotient(numerator: number, denominator: number): number {
  return denominator === 0 ? NaN : numerator / denominator;
}

/** The values themselves where they are float64: a copy of a large column is as much memory again. */
function float64(values: ArrayLike<number>): Float64Array {
  return values instanceof Float64Array ? values : Float64Array.from(values);
}
