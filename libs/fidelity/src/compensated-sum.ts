import { refuse } from './accumulator.js';

export interface CompensatedSumState {
  readonly sum: number;
  readonly correction: number;
  /** Terms that were +∞: JSON has no infinity, and ∞ would spoil the correction. */
  readonly infinite: number;
}

/**
 * Sum of float64 terms with Neumaier's correction (1974): the error does not grow with the number of terms, so that the order of
 * terms and of merges shows in the last digits only. Terms are finite or +∞; one infinite term makes the sum +∞.
 */
export class CompensatedSum {
  private sum = 0;
  private correction = 0;
  private infinite = 0;

  add(term: number): void {
    if (term === Infinity) {
      this.infinite++;
      return;
    }
    const sum = this.sum + term;
    this.correction += Math.abs(this.sum) >= Math.abs(term) ? this.sum - sum + term : term - sum + this.sum;
    this.sum = sum;
  }

  merge(other: CompensatedSum): void {
    const { sum, correction, infinite } = other;
    this.add(sum);
    this.add(correction);
    this.infinite += infinite;
  }

  get value(): number {
    return this.infinite > 0 ? Infinity : this.sum + this.correction;
  }

  toJSON(): CompensatedSumState {
    return { sum: this.sum, correction: this.correction, infinite: this.infinite };
  }

  /** @throws FidelisError REQUEST.INVALID */
  static fromJSON(state: CompensatedSumState): CompensatedSum {
    const { sum, correction, infinite } = state;
    if (
      !Number.isFinite(sum) ||
      !Number.isFinite(correction) ||
      !Number.isSafeInteger(infinite) ||
      infinite < 0
    ) {
      refuse(
        'the saved sum is damaged: it needs finite numbers `sum` and `correction` and a count `infinite`',
      );
    }
    const restored = new CompensatedSum();
    restored.sum = sum;
    restored.correction = correction;
    restored.infinite = infinite;
    return restored;
  }
}
