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

/** The classes that a matrix of at most `most` classes shows, ascending: all, or those in the most disagreements. */
export function classesShown(pairs: readonly ConfusedPair[], classes: number, most: number): number[] {
  const all = Array.from({ length: classes }, (_, index) => index);
  if (classes <= most) return all;
  const weight = new Array<number>(classes).fill(0);
  for (const { teacher, student, count } of pairs) {
    weight[teacher] = (weight[teacher] ?? 0) + count;
    weight[student] = (weight[student] ?? 0) + count;
  }
  return all
    .sort((a, b) => (weight[b] ?? 0) - (weight[a] ?? 0) || a - b)
    .slice(0, most)
    .sort((a, b) => a - b);
}
