/** A filled cell of the disagreement matrix. */
export interface Disagreement {
  /** The class that the teacher predicts. */
  readonly teacher: number;
  /** The class that the student predicts. */
  readonly student: number;
  readonly count: number;
}

/** Filled cells of a matrix [teacher's class][student's class], row by row, with the diagonal. */
export function disagreements(matrix: Float64Array, classes: number): Disagreement[] {
  const cells: Disagreement[] = [];
  matrix.forEach((count, cell) => {
    if (count > 0) cells.push({ teacher: Math.floor(cell / classes), student: cell % classes, count });
  });
  return cells;
}

/**
 * Cohen's kappa κ = (p_o − p_e) / (1 − p_e) (Cohen 1960): p_o the share on the diagonal, p_e = Σ_k t_k s_k / N² what two raters with
 * these class frequencies would agree on by chance. 1 for full agreement, 0 for chance, below 0 for less. Null where p_e is 1 (both
 * predict one and the same class throughout: scikit-learn gives NaN) and for an empty matrix.
 *
 * @param matrix [classes][classes] counts
 */
export function cohenKappa(matrix: Float64Array, classes: number): number | null {
  const rowSums = new Float64Array(classes);
  const columnSums = new Float64Array(classes);
  let n = 0;
  let agreed = 0;
  for (let row = 0; row < classes; row++) {
    for (let column = 0; column < classes; column++) {
      const count = matrix[row * classes + column] ?? 0;
      n += count;
      rowSums[row] = (rowSums[row] ?? 0) + count;
      columnSums[column] = (columnSums[column] ?? 0) + count;
      if (row === column) agreed += count;
    }
  }
  let chance = 0;
  for (let index = 0; index < classes; index++) {
    chance += (rowSums[index] ?? 0) * (columnSums[index] ?? 0);
  }
  const denominator = n * n - chance;
  return denominator === 0 ? null : (n * agreed - chance) / denominator;
}
