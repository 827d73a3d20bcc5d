import { assertNotEmpty } from './accumulator.js';
import { binomialMeanDeviation, foldedNormalMean } from './distributions.js';

/** Sums over the rows of each bin; all three have one entry per bin. */
export interface BinTotals {
  readonly count: readonly number[];
  /** Rows whose prediction is right. */
  readonly correct: readonly number[];
  /** Sum of the confidences. */
  readonly confidence: readonly number[];
}

/**
 * Expected calibration error: ECE = Σ_b (n_b / N) |acc_b − conf_b| (Naeini et al. 2015, Guo et al. 2017; paper.md §2.4), 0…1. Empty
 * bins add nothing.
 *
 * @throws FidelisError REQUEST.INVALID if no row was added
 */
export function expectedCalibrationError(totals: BinTotals): number {
  return weighted(totals, ({ share, gap }) => share * Math.abs(gap));
}

/**
 * Maximum calibration error: MCE = max_b |acc_b − conf_b| over bins that are not empty (Naeini et al. 2015), 0…1. One row in a bin of
 * its own can decide it.
 *
 * @throws FidelisError REQUEST.INVALID if no row was added
 */
export function maximumCalibrationError(totals: BinTotals): number {
  let largest = 0;
  weighted(totals, ({ gap }) => {
    largest = Math.max(largest, Math.abs(gap));
    return 0;
  });
  return largest;
}

/**
 * Root-mean-square calibration error: RMSCE = √ Σ_b (n_b / N) (acc_b − conf_b)² (Hendrycks et al. 2019; TorchMetrics' norm l2),
 * ECE ≤ RMSCE ≤ MCE.
 *
 * @throws FidelisError REQUEST.INVALID if no row was added
 */
export function rootMeanSquareCalibrationError(totals: BinTotals): number {
  return Math.sqrt(weighted(totals, ({ share, gap }) => share * gap * gap));
}

/**
 * RMSCE without the bias that comes from the finite number of rows per bin (Kumar et al. 2019, §5):
 * √ max(0, Σ_b (n_b / N) [(acc_b − conf_b)² − acc_b (1 − acc_b) / (n_b − 1)]). A bin of one row has no estimate of its variance: nothing
 * is taken off there.
 *
 * @throws FidelisError REQUEST.INVALID if no row was added
 */
export function debiasedRootMeanSquareCalibrationError(totals: BinTotals): number {
  const sum = weighted(totals, ({ share, gap, accuracy, count }) => {
    const noise = count > 1 ? (accuracy * (1 - accuracy)) / (count - 1) : 0;
    return share * (gap * gap - noise);
  });
  return Math.sqrt(Math.max(0, sum));
}

/**
 * ECE less its bias (Kumar et al. 2019): 2·ECE − Σ_b (n_b / N) E|G_b| with G_b ~ N(acc_b − conf_b, acc_b (1 − acc_b) / n_b). Kumar's code
 * draws G_b 1000 times; E|G_b| is the mean of a folded normal distribution and known, so nothing is drawn here. At most ECE; noise can
 * bring it below 0.
 *
 * @throws FidelisError REQUEST.INVALID if no row was added
 */
export function debiasedExpectedCalibrationError(totals: BinTotals): number {
  return weighted(totals, ({ share, gap, accuracy, count }) => {
    const deviation = Math.sqrt((accuracy * (1 - accuracy)) / count);
    return share * (2 * Math.abs(gap) - foldedNormalMean(gap, deviation));
  });
}

/**
 * The ECE that a perfectly calibrated model with these confidences shows on average by chance: Σ_b (1/N) E|X_b − n_b conf_b| with
 * X_b ~ Binomial(n_b, conf_b). Analytic: the mean absolute deviation of a binomial is 2 n p q · P(Binomial(n−1, p) = ⌊n p⌋) (de Moivre
 * 1730). Confidences within a bin are taken for their mean, which overstates it a little. An ECE near this floor says nothing against
 * the model.
 *
 * @throws FidelisError REQUEST.INVALID if no row was added
 */
export function nullExpectedCalibrationError(totals: BinTotals): number {
  return weighted(totals, ({ share, confidence, count }) => {
    return (share * binomialMeanDeviation(count, confidence)) / count;
  });
}

interface FilledBin {
  /** n_b / N */
  readonly share: number;
  /** acc_b − conf_b */
  readonly gap: number;
  readonly accuracy: number;
  readonly confidence: number;
  readonly count: number;
}

/** Σ_b term(b) over the bins that are not empty. */
function weighted(totals: BinTotals, term: (bin: FilledBin) => number): number {
  const n = totals.count.reduce((sum, rows) => sum + rows, 0);
  assertNotEmpty(n);
  let sum = 0;
  totals.count.forEach((count, bin) => {
    if (count === 0) return;
    const correct = totals.correct[bin] ?? 0;
    const confidence = totals.confidence[bin] ?? 0;
    sum += term({
      share: count / n,
      gap: (correct - confidence) / count,
      accuracy: correct / count,
      confidence: confidence / count,
      count,
    });
  });
  return sum;
}
