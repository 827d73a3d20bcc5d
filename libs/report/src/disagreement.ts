import type { ClassPair } from './report-model.js';

/** Samples for which the teacher predicts one class and the student another. */
export interface ConfusedPair extends ClassPair {
  /** Of the samples for which the teacher predicts its class. */
  readonly share: number;
}

/**
 * All pairs of different classes that occur, the most frequent first.
 *
 * @param cells of the matrix of teacher's prediction by student's
 * @param rowTotals samples for which the teacher predicts each class
 */
export function confusedPairs(cells: readonly ClassPair[], rowTotals: readonly number[]): ConfusedPair[] {
  return cells
    .filter(({ teacher, student, count }) => teacher !== student && count > 0)
    .map((cell) => ({ ...cell, share: cell.count / (rowTotals[cell.teacher] ?? cell.count) }))
    .sort((a, b) => b.count - a.count || a.teacher - b.teacher || a.student - b.student);
}

/** A cell of a matrix of blocks of neighbouring classes. */
export interface BlockCell {
  /** Block of the teacher's class. */
  readonly row: number;
  /** Block of the student's class. */
  readonly column: number;
  /** Samples on which they disagree. */
  readonly count: number;
  /** Of the samples for which the teacher predicts a class of the block. */
  readonly share: number;
}

export interface BlockMatrix {
  /** Blocks on each side. */
  readonly size: number;
  /** Neighbouring classes in each block; fewer in the last. 1: a block is a class. */
  readonly classesPerBlock: number;
  /** Cells with disagreements, row by row. With more than one class per block the diagonal has those between neighbours. */
  readonly cells: readonly BlockCell[];
}

/**
 * The disagreements as a matrix of at most `most` blocks on each side: every one of them is in a cell.
 *
 * @param rowTotals samples for which the teacher predicts each class: one entry per class
 */
export function blockMatrix(
  pairs: readonly ConfusedPair[],
  rowTotals: readonly number[],
  most: number,
): BlockMatrix {
  const classesPerBlock = Math.ceil(rowTotals.length / most);
  const size = Math.ceil(rowTotals.length / classesPerBlock);
  const blockOf = (index: number): number => Math.floor(index / classesPerBlock);
  const totals = new Float64Array(size);
  rowTotals.forEach((count, index) => {
    totals[blockOf(index)] = (totals[blockOf(index)] ?? 0) + count;
  });
  const counts = new Float64Array(size * size);
  for (const { teacher, student, count } of pairs) {
    const at = blockOf(teacher) * size + blockOf(student);
    counts[at] = (counts[at] ?? 0) + count;
  }
  const cells = [...counts].flatMap((count, at): BlockCell[] => {
    const row = Math.floor(at / size);
    return count === 0 ? [] : [{ row, column: at % size, count, share: count / (totals[row] ?? count) }];
  });
  return { size, classesPerBlock, cells };
}
