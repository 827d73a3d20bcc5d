import type { Divergences } from './divergences.js';
import type { RowFunctions } from './kernel/row-kernel.js';

/** Sums by column over many rows, in two parts; see `columns` of the kernel. */
export interface ColumnSums {
  /** [classes] multiples of 2⁻²⁴ */
  readonly coarse: Float64Array;
  /** [classes] what they leave over */
  readonly fine: Float64Array;
}

/** Whose column sums the kernel collects; it hands them over at the end of each batch at the latest. */
export interface ColumnOwner {
  absorb(sums: ColumnSums): void;
}

/** Lends room for column sums within the kernel's memory. */
export interface ColumnRoom {
  /** Of this owner, from its first row in this batch on. */
  sumsOf(owner: ColumnOwner): ColumnSums;
  /** [classes] */
  readonly list: Uint32Array;
}

/** Where a row lies within the memory of the kernel, in bytes. */
export interface RowPlace {
  readonly memory: ArrayBuffer;
  readonly logProbabilities: number;
  readonly probabilities: number;
  /** Room for four float64. */
  readonly out: number;
}

/** What the metrics need of one row. One object is filled again and again: take what you need before the next row. */
export class ScoredRow {
  /** [classes], log-softmax in float64, nats. −∞ where the probability is 0. */
  readonly logProbabilities: Float64Array;
  /** [classes], softmax in float64. */
  readonly probabilities: Float64Array;
  /** Index of the largest value; of equal ones the first. */
  predicted = 0;
  /** Probability of `predicted`, above 0 and at most 1. */
  confidence = 0;
  private readonly out: Float64Array;

  constructor(
    private readonly functions: RowFunctions,
    private readonly classes: number,
    readonly place: RowPlace,
    private readonly room: ColumnRoom,
  ) {
    this.logProbabilities = new Float64Array(place.memory, place.logProbabilities, classes);
    this.probabilities = new Float64Array(place.memory, place.probabilities, classes);
    this.out = new Float64Array(place.memory, place.out, 4);
  }

  /**
   * Whether a class is among the k most probable ones. Of equal ones the one with the smaller index comes first, so exactly k classes
   * are (all of them where there are no more than k).
   */
  isInTop(column: number, k: number): boolean {
    if (column === this.predicted) return true;
    return this.functions.ahead(this.place.logProbabilities, this.classes, column) < k;
  }

  /** Σ_k (p_k − 1{k = column})², 0…2. */
  squaredDistance(column: number): number {
    return this.functions.squaredDistance(this.place.probabilities, this.classes, column);
  }

  /** Divergences of this row, p, from another one, q; defined at `Divergences`. */
  divergencesFrom(other: ScoredRow, into: Divergences): void {
    const { place, out } = this;
    this.functions.divergences(
      place.logProbabilities,
      place.probabilities,
      other.place.logProbabilities,
      other.place.probabilities,
      this.classes,
      place.out,
    );
    // Rounding can bring a sum just beyond the ends of the range, where no divergence is.
    into.forward = Math.max(0, out[0] ?? NaN);
    into.reverse = Math.max(0, out[1] ?? NaN);
    into.jensenShannon = Math.min(Math.LN2, Math.max(0, (out[2] ?? NaN) / 2));
    into.totalVariation = Math.min(1, (out[3] ?? NaN) / 2);
  }

  /**
   * Adds the probabilities below a threshold to the owner's sums by column.
   *
   * @param threshold above 0
   * @returns the columns of the others; valid until the next call
   */
  addColumns(owner: ColumnOwner, threshold: number): Uint32Array {
    const { coarse, fine } = this.room.sumsOf(owner);
    const { list } = this.room;
    const listed = this.functions.columns(
      this.place.probabilities,
      this.classes,
      threshold,
      coarse.byteOffset,
      fine.byteOffset,
      list.byteOffset,
    );
    return list.subarray(0, listed);
  }

  /**
   * The row at another temperature.
   *
   * @param beta 1 / T
   * @param into [3]: Σ w, Σ w d and Σ w d² of d = log p − max log p and w = exp(β d); the confidence at T is 1 / Σ w
   */
  temper(beta: number, into: Float64Array): void {
    const { place, out } = this;
    const largest = this.logProbabilities[this.predicted] ?? NaN;
    this.functions.temper(place.logProbabilities, this.classes, largest, beta, place.out);
    for (let index = 0; index < 3; index++) into[index] = out[index] ?? NaN;
  }
}
