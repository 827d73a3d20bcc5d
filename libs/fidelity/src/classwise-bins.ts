import { assertCount, assertSameSettings, refuse } from './accumulator.js';
import { BIN_CONVENTIONS, binCount, binEdges, binIndex } from './bin-edges.js';
import type { CalibrationSettings } from './reliability.js';
import type { ColumnOwner, ColumnSums, ScoredRow } from './scored-row.js';

export interface ClasswiseBinsState extends CalibrationSettings {
  readonly classes: number;
  readonly n: number;
  /** [bins][classes], without the first bin, which has the rest of the rows. */
  readonly count: readonly number[];
  /** [bins][classes] */
  readonly outcomes: readonly number[];
  /** [bins][classes] multiples of 2⁻²⁴ */
  readonly coarse: readonly number[];
  /** [bins][classes] what they leave over */
  readonly fine: readonly number[];
}

/** What a bin of a class holds: rows, rows whose outcome is the class, sum of the probabilities of the class. */
export interface ClassBin {
  readonly count: number;
  readonly outcomes: number;
  readonly probability: number;
}

/** Adding and taking away 1.5 · 2²⁸ rounds a number below 1 to a multiple of 2⁻²⁴, as the kernel does. */
const ROUNDER = 1.5 * 2 ** 28;

/**
 * The probability that a model gives to each class, and how often that class came out, by class and bin. Memory O(bins × classes).
 *
 * Sums of probabilities have two parts: multiples of 2⁻²⁴, whose sum is exact up to 2²⁹ rows, and the rest, whose rounding is below
 * 2⁻⁷⁸ a row. So neither order nor merges show. Those of the first bin, where most are, come from the kernel at the end of a batch.
 *
 * A probability of 0 is in the first bin, in both conventions.
 */
export class ClasswiseBins implements ColumnOwner {
  private readonly settings: CalibrationSettings & { readonly classes: number };
  private readonly edges: Float32Array;
  private readonly binTotal: number;
  /** What is below it is in the first bin; what is not may be. */
  private readonly threshold: number;
  private rows = 0;
  private readonly count: Float64Array;
  private readonly outcomes: Float64Array;
  private readonly coarse: Float64Array;
  private readonly fine: Float64Array;

  /** @throws FidelisError REQUEST.INVALID for less than one bin or an unknown convention */
  constructor({ classes, bins, convention }: CalibrationSettings & { readonly classes: number }) {
    assertCount('bins', bins, 1);
    if (!BIN_CONVENTIONS.includes(convention)) {
      refuse(`convention: "${String(convention)}" is unknown: use ${BIN_CONVENTIONS.join(' or ')}`, {
        field: 'convention',
      });
    }
    this.settings = { classes, bins, convention };
    this.edges = binEdges(bins);
    // A float32 above the first edge in either convention is in another bin; the edge itself is left to binIndex.
    this.threshold = Math.max(Number.MIN_VALUE, (this.edges[1] ?? 1) - 1e-7);
    this.binTotal = binCount(bins, convention);
    const size = this.binTotal * classes;
    this.count = new Float64Array(size);
    this.outcomes = new Float64Array(size);
    this.coarse = new Float64Array(size);
    this.fine = new Float64Array(size);
  }

  get n(): number {
    return this.rows;
  }

  /** @param outcome the class that came out */
  add(row: ScoredRow, outcome: number): void {
    const { coarse, fine, edges } = this;
    const { classes, convention } = this.settings;
    for (const column of row.addColumns(this, this.threshold)) {
      const probability = row.probabilities[column] ?? NaN;
      const bin = binIndex(edges, probability, convention);
      const cell = bin * classes + column;
      const rounded = probability + ROUNDER - ROUNDER;
      if (bin > 0) this.count[cell] = (this.count[cell] ?? 0) + 1;
      coarse[cell] = (coarse[cell] ?? 0) + rounded;
      fine[cell] = (fine[cell] ?? 0) + (probability - rounded);
    }
    this.addOutcome(row, outcome);
  }

  /** What `add` counts of the outcome alone; `shareProbabilities` brings the rest. */
  addOutcome({ probabilities }: ScoredRow, outcome: number): void {
    const { edges, settings } = this;
    const bin = binIndex(edges, probabilities[outcome] ?? NaN, settings.convention);
    const cell = bin * settings.classes + outcome;
    this.outcomes[cell] = (this.outcomes[cell] ?? 0) + 1;
    this.rows++;
  }

  /** Takes over the probabilities of a table that saw the same rows with other outcomes. */
  shareProbabilities(other: ClasswiseBins): void {
    assertSameSettings(this.settings, other.settings);
    for (const name of ['count', 'coarse', 'fine'] as const) this[name].set(other[name]);
  }

  absorb(sums: ColumnSums): void {
    for (const name of ['coarse', 'fine'] as const) {
      const mine = this[name];
      sums[name].forEach((value, column) => (mine[column] = (mine[column] ?? 0) + value));
    }
  }

  /** @throws FidelisError REQUEST.INVALID if the settings differ */
  merge(other: ClasswiseBins): void {
    assertSameSettings(this.settings, other.settings);
    this.rows += other.rows;
    for (const name of ['count', 'outcomes', 'coarse', 'fine'] as const) {
      const mine = this[name];
      other[name].forEach((value, cell) => (mine[cell] = (mine[cell] ?? 0) + value));
    }
  }

  /** The bins of one class, by rising probability; their counts sum to n. */
  ofClass(column: number): ClassBin[] {
    const { classes } = this.settings;
    let rest = this.rows;
    for (let bin = 1; bin < this.binTotal; bin++) rest -= this.count[bin * classes + column] ?? 0;
    return Array.from({ length: this.binTotal }, (_, bin): ClassBin => {
      const cell = bin * classes + column;
      return {
        count: bin === 0 ? rest : (this.count[cell] ?? 0),
        outcomes: this.outcomes[cell] ?? 0,
        probability: (this.coarse[cell] ?? 0) + (this.fine[cell] ?? 0),
      };
    });
  }

  toJSON(): ClasswiseBinsState {
    return {
      ...this.settings,
      n: this.rows,
      count: [...this.count],
      outcomes: [...this.outcomes],
      coarse: [...this.coarse],
      fine: [...this.fine],
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: ClasswiseBinsState): ClasswiseBins {
    assertCount('n', state.n, 0);
    const restored = new ClasswiseBins(state);
    restored.rows = state.n;
    for (const name of ['count', 'outcomes', 'coarse', 'fine'] as const) {
      const values = state[name];
      if (values.length !== restored[name].length || !values.every((value) => Number.isFinite(value))) {
        refuse(
          `the saved ${name} by class are damaged: ${restored[name].length} finite numbers belong there`,
        );
      }
      restored[name].set(values);
    }
    return restored;
  }
}
