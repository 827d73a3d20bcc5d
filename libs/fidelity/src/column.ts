import { refuse } from './accumulator.js';

/** JSON has no infinity. */
export type StoredNumber = number | 'Infinity';

/** A growing column of float64 scalars, one per sample. */
export class Column {
  private values = new Float64Array(1024);
  private used = 0;

  get length(): number {
    return this.used;
  }

  push(value: number): void {
    if (this.used === this.values.length) {
      const larger = new Float64Array(2 * this.used);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.used++] = value;
  }

  append(other: Column): void {
    for (const value of other.view()) this.push(value);
  }

  toJSON(): StoredNumber[] {
    return Array.from(this.view(), (value) => (value === Infinity ? 'Infinity' : value));
  }

  /** @throws FidelisError REQUEST.INVALID for what is neither a finite number nor "Infinity" */
  static fromJSON(values: readonly StoredNumber[]): Column {
    const column = new Column();
    for (const value of values) {
      const number = value === 'Infinity' ? Infinity : value;
      if (typeof number !== 'number' || !(number === Infinity || Number.isFinite(number))) {
        refuse(`the saved column is damaged: ${String(value)} is no number and not "Infinity"`);
      }
      column.push(number);
    }
    return column;
  }

  /** What was pushed so far, in order; valid until the next push. */
  view(): Float64Array {
    return this.values.subarray(0, this.used);
  }
}
