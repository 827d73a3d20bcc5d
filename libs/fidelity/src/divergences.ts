/** Divergences of two rows of log-probabilities in nats; `p`, `q` are their exponentials. All four have one value per sample. */
export interface Divergences {
  /** KL(p ‖ q) */
  forward: number;
  /** KL(q ‖ p) */
  reverse: number;
  jensenShannon: number;
  totalVariation: number;
}

/** Any row of [classes] probabilities with their logarithms. */
export interface Distribution {
  readonly logProbabilities: Float64Array;
  readonly probabilities: Float64Array;
}

/**
 * KL(p ‖ q) = Σ p (log p − log q), in nats, of two rows of log-probabilities (paper.md §2.4).
 *
 * A class with p = 0 adds 0, whatever q is; a class with p > 0 and q = 0 makes it +∞. Rounding can bring the sum of nearly
 * equal rows just below 0, where no divergence is: then it is 0.
 */
export function klDivergence(logP: Float64Array, logQ: Float64Array): number {
  let sum = 0;
  for (let column = 0; column < logP.length; column++) {
    const logarithm = logP[column] ?? NaN;
    const probability = Math.exp(logarithm);
    if (probability > 0) sum += probability * (logarithm - (logQ[column] ?? NaN));
  }
  return Math.max(0, sum);
}

/**
 * All divergences of two rows in one pass, into `into`:
 * - KL(p ‖ q) and KL(q ‖ p) as `klDivergence`,
 * - Jensen–Shannon ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = (p + q) / 2 (Lin 1991): 0…ln 2, finite always,
 * - total variation ½ Σ |p − q|: 0…1, the largest difference of the probability of any set of classes.
 */
export function divergencesOf(p: Distribution, q: Distribution, into: Divergences): void {
  const classes = p.probabilities.length;
  let forward = 0;
  let reverse = 0;
  let jensenShannon = 0;
  let totalVariation = 0;
  for (let column = 0; column < classes; column++) {
    const pk = p.probabilities[column] ?? NaN;
    const qk = q.probabilities[column] ?? NaN;
    const logP = p.logProbabilities[column] ?? NaN;
    const logQ = q.logProbabilities[column] ?? NaN;
    const logMiddle = Math.log((pk + qk) / 2);
    totalVariation += Math.abs(pk - qk);
    if (pk > 0) {
      forward += pk * (logP - logQ);
      jensenShannon += pk * (logP - logMiddle);
    }
    if (qk > 0) {
      reverse += qk * (logQ - logP);
      jensenShannon += qk * (logQ - logMiddle);
    }
  }
  into.forward = Math.max(0, forward);
  into.reverse = Math.max(0, reverse);
  into.jensenShannon = Math.min(Math.LN2, Math.max(0, jensenShannon / 2));
  into.totalVariation = Math.min(1, totalVariation / 2);
}
