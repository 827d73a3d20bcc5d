/**
 * Spearman's ρ of two rows: Pearson's correlation of the ranks of their values, where equal values share the mean of their ranks; −1…1.
 * Null if either row has one value throughout: it has no order. As `scipy.stats.spearmanr`, which gives NaN there.
 *
 * @param a [classes] log-probabilities or logits: only their order counts
 */
export function rankCorrelation(a: Float64Array, b: Float64Array): number | null {
  const ranksA = ranks(a);
  const ranksB = ranks(b);
  const middle = (a.length + 1) / 2;
  let covariance = 0;
  let varianceA = 0;
  let varianceB = 0;
  for (let index = 0; index < a.length; index++) {
    const da = (ranksA[index] ?? 0) - middle;
    const db = (ranksB[index] ?? 0) - middle;
    covariance += da * db;
    varianceA += da * da;
    varianceB += db * db;
  }
  if (varianceA === 0 || varianceB === 0) return null;
  return Math.max(-1, Math.min(1, covariance / Math.sqrt(varianceA * varianceB)));
}

/** Ranks from 1, ties with the mean of theirs. */
function ranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from({ length: values.length }, (_, index) => index).sort((i, j) => {
    const [x, y] = [values[i] ?? 0, values[j] ?? 0];
    return x < y ? -1 : x > y ? 1 : 0;
  });
  const result = new Float64Array(values.length);
  let start = 0;
  while (start < order.length) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (const index of order.subarray(start, end)) result[index] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}
