import { bcaInterval, percentileInterval } from './bootstrap-interval.js';
import { requireLevel, requireSeed, requireThat } from './requirement.js';
import { drawResample } from './resampling.js';
import { type ResampleCounts, type Statistic } from './statistic.js';
import { SOURCE_PURPOSES, threefrySource, type UniformSource } from './uniform-source.js';

export const BOOTSTRAP_METHODS = ['percentile', 'bca'] as const;
export type BootstrapMethod = (typeof BOOTSTRAP_METHODS)[number];

/** More samples than this are left out in this many groups by the jackknife of a figure without a closed form. */
const JACKKNIFE_GROUPS = 500;

export interface BootstrapSettings {
  /** 0…2^32−1; the same seed gives the same resamples on every machine, and the same intervals up to the rounding of its logarithm. */
  readonly seed: number;
  /** @default 1000 */
  readonly resamples?: number;
  /** Probability that the interval should cover the figure. @default 0.95 */
  readonly level?: number;
  /** @default bca */
  readonly method?: BootstrapMethod;
  /** @default Threefry2x32-20 keyed by the seed */
  readonly source?: UniformSource;
}

/** In the unit of the statistic. */
export interface BootstrapInterval {
  /** The figure of the samples themselves. */
  readonly estimate: number;
  readonly lo: number;
  readonly hi: number;
  /** Standard deviation of the resampled figures, divisor resamples − 1; 0 for one resample. */
  readonly standardError: number;
  readonly level: number;
  readonly method: BootstrapMethod;
  readonly resamples: number;
  /** Resamples without a figure, for example a ratio without a denominator. They are in no interval. */
  readonly undefinedResamples: number;
}

/**
 * Bootstrap intervals of figures over one set of samples, from the same resamples for all of them. O(resamples × samples) for each.
 *
 * BCa's acceleration comes from leaving out one sample at a time where the statistic has a closed form (`meanOf`, `ratioOf`) or
 * there are at most 500 samples, and otherwise from leaving out each of 500 groups (sample i in group i mod 500), whose influences
 * are sums of their samples' and have the same acceleration in expectation.
 *
 * A single sample, or figures that are equal in all resamples, give an interval of no width.
 *
 * @param statistics by name, all over the same number of samples
 * @returns an interval by each name
 * @throws FidelisError REQUEST.INVALID for bad settings, different numbers of samples, and a statistic that is not finite on the
 *   samples themselves or on any resample
 */
export function bootstrap<Name extends string>(
  statistics: Readonly<Record<Name, Statistic>>,
  settings: BootstrapSettings,
): Record<Name, BootstrapInterval> {
  const steps = bootstrapSteps(statistics, settings);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/**
 * `bootstrap` in steps between which other things can happen: progress be shown, the work be given up.
 *
 * @returns yields after each step how many resamples are done
 * @throws FidelisError REQUEST.INVALID as `bootstrap`, from the first step on
 */
export function* bootstrapSteps<Name extends string>(
  statistics: Readonly<Record<Name, Statistic>>,
  settings: BootstrapSettings,
): Generator<number, Record<Name, BootstrapInterval>> {
  const { seed, resamples = 1000, level = 0.95, method = 'bca' } = settings;
  const source = settings.source ?? threefrySource(seed, SOURCE_PURPOSES.bootstrap);
  requireSeed(seed);
  requireLevel(level);
  requireThat(
    Number.isInteger(resamples) && resamples > 0 && resamples <= 10_000_000,
    `resamples are a whole number from 1 to 10000000: got ${resamples}`,
  );
  const entries = Object.entries<Statistic>(statistics);
  const samples = commonSamples(entries);
  const counts = new Uint32Array(samples).fill(1);
  const prepare = preparationOf(entries);
  prepare(counts);
  const estimates = entries.map(([name, statistic]) => finiteEstimate(name, statistic.evaluate(counts)));
  const distributions = entries.map(() => new Float64Array(resamples));
  for (let resample = 0; resample < resamples; resample++) {
    drawResample(source, resample, counts);
    prepare(counts);
    entries.forEach(([, statistic], index) => {
      distributions[index]?.fill(statistic.evaluate(counts), resample, resample + 1);
    });
    yield resample + 1;
  }
  const jackknives = method === 'percentile' ? [] : yield* jackknivesOf(entries, samples, prepare, resamples);
  const intervals: [string, BootstrapInterval][] = [];
  for (const [index, [name]] of entries.entries()) {
    const estimate = estimates[index] ?? NaN;
    const distribution = (distributions[index] ?? new Float64Array()).filter(
      (figure) => !Number.isNaN(figure),
    );
    requireThat(
      distribution.length > 0,
      `${name} is defined on no resample: give more samples, or leave its interval out`,
    );
    const bounds =
      method === 'percentile'
        ? percentileInterval(distribution, level)
        : bcaInterval(distribution, estimate, jackknives[index] ?? new Float64Array(), level);
    const undefinedResamples = resamples - distribution.length;
    const standardError = standardDeviation(distribution);
    intervals.push([
      name,
      { estimate, ...bounds, standardError, level, method, resamples, undefinedResamples },
    ]);
    yield resamples;
  }
  return Object.fromEntries(intervals) as Record<Name, BootstrapInterval>;
}

/** Every distinct preparation once, in the order of the statistics. */
function preparationOf(entries: readonly (readonly [string, Statistic])[]): (counts: ResampleCounts) => void {
  const preparations = new Set(entries.flatMap(([, { prepare }]) => prepare ?? []));
  return (counts) => {
    for (const prepare of preparations) prepare(counts);
  };
}

function commonSamples(entries: readonly (readonly [string, Statistic])[]): number {
  const [first] = entries;
  requireThat(first !== undefined, 'a bootstrap needs at least one statistic');
  for (const [name, statistic] of entries) {
    requireThat(
      statistic.samples === first[1].samples,
      `statistics of one bootstrap have one number of samples: ${first[0]} has ${first[1].samples}, ${name} has ${statistic.samples}`,
    );
  }
  return first[1].samples;
}

function finiteEstimate(name: string, estimate: number): number {
  requireThat(
    Number.isFinite(estimate),
    `${name} is ${estimate} on the samples themselves and has no interval`,
  );
  return estimate;
}

/**
 * Figures of every statistic with parts of the samples left out; those without a figure are dropped. Statistics without a closed form leave
 * out the same groups, so that what they share is prepared once for each.
 */
function* jackknivesOf(
  entries: readonly (readonly [string, Statistic])[],
  samples: number,
  prepare: (counts: ResampleCounts) => void,
  resamples: number,
): Generator<number, Float64Array[]> {
  // Without the only sample there is nothing to have a figure of.
  const groups = samples > 1 ? Math.min(samples, JACKKNIFE_GROUPS) : 0;
  const open = entries.some(([, statistic]) => statistic.leaveOneOut === undefined);
  const figures = entries.map(([, statistic]) => statistic.leaveOneOut?.() ?? new Float64Array(groups));
  const counts = new Uint32Array(samples).fill(1);
  for (let group = 0; open && group < groups; group++) {
    for (let sample = group; sample < samples; sample += groups) counts[sample] = 0;
    prepare(counts);
    for (const [index, [, statistic]] of entries.entries()) {
      if (statistic.leaveOneOut === undefined)
        figures[index]?.fill(statistic.evaluate(counts), group, group + 1);
    }
    for (let sample = group; sample < samples; sample += groups) counts[sample] = 1;
    yield resamples;
  }
  return figures.map((column) => column.filter((figure) => Number.isFinite(figure)));
}

function standardDeviation(figures: Float64Array): number {
  if (figures.length < 2) return 0;
  const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
  const squares = figures.reduce((sum, figure) => sum + (figure - mean) ** 2, 0);
  return Math.sqrt(squares / (figures.length - 1));
}
