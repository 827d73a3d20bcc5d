import { assertCount } from './accumulator.js';
import { expectedCalibrationError, type BinTotals } from './calibration-error.js';
import type { SortedConfidences } from './sorted-confidences.js';

/**
 * ECE over bins of equal mass ("adaptive" binning): edges are the i/B quantiles of the confidences (linear between order statistics,
 * NumPy's default), the outer ones 0 and 1; bins are [lo, hi), the last one closed. As netcal's `equal_intervals=False`. Equal
 * confidences stay together, so the masses differ where there are ties, and the order of the samples does not matter. Full pass.
 *
 * @param bins at least 1
 * @throws FidelisError REQUEST.INVALID if there are no rows or less than one bin
 */
export function equalMassCalibrationError(samples: SortedConfidences, bins: number): number {
  return expectedCalibrationError(equalMassTotals(samples, bins));
}

/** Sums over bins of equal mass, see `equalMassCalibrationError`. */
export function equalMassTotals({ right, wrong }: SortedConfidences, bins: number): BinTotals {
  assertCount('bins', bins, 1);
  const all = new Float64Array(right.length + wrong.length);
  all.set(right);
  all.set(wrong, right.length);
  all.sort();
  const edges = quantileEdges(all, bins);
  const count = new Array<number>(bins).fill(0);
  const correct = new Array<number>(bins).fill(0);
  const confidence = new Array<number>(bins).fill(0);
  let bin = 0;
  for (const value of all) {
    while (bin + 1 < bins && (edges[bin + 1] ?? 1) <= value) bin++;
    count[bin] = (count[bin] ?? 0) + 1;
    confidence[bin] = (confidence[bin] ?? 0) + value;
  }
  bin = 0;
  for (const value of right) {
    while (bin + 1 < bins && (edges[bin + 1] ?? 1) <= value) bin++;
    correct[bin] = (correct[bin] ?? 0) + 1;
  }
  return { count, correct, confidence };
}

/** bins + 1 edges: 0, the inner quantiles, 1. */
function quantileEdges(sorted: Float64Array, bins: number): Float64Array {
  return Float64Array.from({ length: bins + 1 }, (_, index) => {
    if (index === 0) return 0;
    if (index === bins) return 1;
    const position = index * (1 / bins) * (sorted.length - 1);
    const below = Math.floor(position);
    const fraction = position - below;
    const low = sorted[below] ?? 1;
    const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? 1;
    // The rounding is NumPy's, from the nearer end.
    return fraction < 0.5 ? low + (high - low) * fraction : high - (high - low) * (1 - fraction);
  });
}
