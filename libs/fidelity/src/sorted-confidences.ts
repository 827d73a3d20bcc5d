import { assertNotEmpty } from './accumulator.js';
import { Column, type StoredNumber } from './column.js';

/** Confidences in ascending order: the same for any order of the samples. */
export interface SortedConfidences {
  /** Of rows whose prediction is right. */
  readonly right: Float64Array;
  /** Of rows whose prediction is wrong. */
  readonly wrong: Float64Array;
}

export interface ConfidenceState {
  readonly right: readonly StoredNumber[];
  readonly wrong: readonly StoredNumber[];
}

/** Confidence and correctness of every sample: what metrics of the unbinned distribution need. O(samples). */
export class ConfidenceColumns {
  private right = new Column();
  private wrong = new Column();

  /** @param confidence above 0 and at most 1 */
  add(confidence: number, correct: boolean): void {
    (correct ? this.right : this.wrong).push(confidence);
  }

  merge(other: ConfidenceColumns): void {
    this.right.append(other.right);
    this.wrong.append(other.wrong);
  }

  toJSON(): ConfidenceState {
    return { right: this.right.toJSON(), wrong: this.wrong.toJSON() };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: ConfidenceState): ConfidenceColumns {
    const restored = new ConfidenceColumns();
    restored.right = Column.fromJSON(state.right);
    restored.wrong = Column.fromJSON(state.wrong);
    return restored;
  }

  /** @throws FidelisError REQUEST.INVALID if no row was added */
  sorted(): SortedConfidences {
    assertNotEmpty(this.right.length + this.wrong.length);
    return { right: this.right.view().slice().sort(), wrong: this.wrong.view().slice().sort() };
  }
}
