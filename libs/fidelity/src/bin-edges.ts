/**
 * Which bin a confidence on an edge belongs to:
 * - `torchmetrics`: [lo, hi), and a confidence of exactly 1 has a bin of its own, the (bins + 1)-th (torchmetrics 1.9,
 *   `torch.bucketize(confidence, edges, right=True) − 1`).
 * - `gnosis`: (lo, hi], the code published with the paper; 0 is in no bin, which a top-1 confidence never is.
 */
export const BIN_CONVENTIONS = ['torchmetrics', 'gnosis'] as const;
export type BinConvention = (typeof BIN_CONVENTIONS)[number];

/**
 * bins + 1 edges from 0 to 1 in float32, as `torch.linspace(0, 1, bins + 1)` computes them: multiples of the rounded step
 * from below up to the middle, and from above beyond it. They differ from i / bins in the last place, and a confidence on an
 * edge is compared with these in both conventions' reference code. From above there is one rounding, as where PyTorch fuses
 * multiplication and subtraction: on all processors with AVX2. Elsewhere its edges can be one unit in the last place
 * away, never for 10 bins.
 */
export function binEdges(bins: number): Float32Array {
  const step = Math.fround(1 / bins);
  const halfway = Math.floor((bins + 1) / 2);
  return Float32Array.from({ length: bins + 1 }, (_, index) =>
    // A float32 times a small integer is exact in float64, and so is what is left of 1.
    index < halfway ? step * index : 1 - step * (bins - index),
  );
}

/** Bins that a convention has for a nominal number: one more for `torchmetrics`. */
export function binCount(bins: number, convention: BinConvention): number {
  return convention === 'torchmetrics' ? bins + 1 : bins;
}

/**
 * Index of the bin of a confidence. Its float32 rounding decides, which is the precision in which the reference implementations compare
 * it with the edges (paper.md §5): 0.6 is on the edge 0.6.
 *
 * @param edges of `binEdges`
 * @param confidence above 0 and at most 1
 */
export function binIndex(edges: Float32Array, confidence: number, convention: BinConvention): number {
  const rounded = Math.fround(confidence);
  const lies = convention === 'torchmetrics' ? atOrBelow : below;
  // The even spacing gives the bin but for rounding; the edges themselves decide.
  let index = Math.min(edges.length - 1, Math.floor(rounded * (edges.length - 1)));
  while (index > 0 && !lies(edges[index] ?? 0, rounded)) index--;
  while (index + 1 < edges.length && lies(edges[index + 1] ?? 1, rounded)) index++;
  return index;
}

function atOrBelow(edge: number, confidence: number): boolean {
  return edge <= confidence;
}

function below(edge: number, confidence: number): boolean {
  return edge < confidence;
}
