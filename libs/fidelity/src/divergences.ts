/** Divergences of two rows of log-probabilities in nats; `p`, `q` are their exponentials. All four have one value per sample. */
export interface Divergences {
  /**
   * KL(p ‖ q) = Σ p (log p − log q) (paper.md §2.4). A class with p = 0 adds 0, whatever q is; one with p > 0 and q = 0 makes it +∞. At
   * least 0: rounding can bring the sum of nearly equal rows just below.
   */
  forward: number;
  /** KL(q ‖ p) */
  reverse: number;
  /** ½ KL(p ‖ m) + ½ KL(q ‖ m) with m = (p + q) / 2 (Lin 1991): 0…ln 2, finite always. */
  jensenShannon: number;
  /** ½ Σ |p − q|: 0…1, the largest difference of the probability of any set of classes. */
  totalVariation: number;
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
