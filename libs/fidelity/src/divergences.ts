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
