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

  /** What was pushed so far, in order; valid until the next push. */
  view(): Float64Array {
    return this.values.subarray(0, this.used);
  }
}
