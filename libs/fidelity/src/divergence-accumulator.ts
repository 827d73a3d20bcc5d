import { assertCount, assertNotEmpty, type Accumulator } from './accumulator.js';
import { InputShape, type InputSettings, type PairBatch } from './batch.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';
import type { Divergences } from './divergences.js';

/** Means over samples, in nats but for the total variation. */
export interface DivergenceResult {
  /** (1/N) Σ KL(p_t ‖ p_s), teacher first, temperature 1 (paper.md §2.4); ≥ 0, +∞ if the student ever excludes what the teacher does not. */
  readonly predictiveKl: number;
  /** (1/N) Σ KL(p_s ‖ p_t); ≥ 0, possibly +∞. */
  readonly reverseKl: number;
  /** (1/N) Σ JS(p_t, p_s), 0…ln 2. */
  readonly jensenShannon: number;
  /** (1/N) Σ ½ Σ_k |p_t − p_s|, 0…1. */
  readonly totalVariation: number;
}

export interface DivergenceState extends Required<InputSettings> {
  readonly n: number;
  readonly forward: CompensatedSumState;
  readonly reverse: CompensatedSumState;
  readonly jensenShannon: CompensatedSumState;
  readonly totalVariation: CompensatedSumState;
}

/** How far the student's distribution is from the teacher's. Formulas and edge cases: `Divergences`. Memory O(classes). */
export class DivergenceAccumulator implements Accumulator<PairBatch, DivergenceState, DivergenceResult> {
  private readonly shape: InputShape;
  private rows = 0;
  private forward = new CompensatedSum();
  private reverse = new CompensatedSum();
  private jensenShannon = new CompensatedSum();
  private totalVariation = new CompensatedSum();

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes or an unknown kind */
  constructor(settings: InputSettings) {
    this.shape = new InputShape(settings);
  }

  get n(): number {
    return this.rows;
  }

  add(batch: PairBatch): void {
    this.shape.visitPairs(batch, (_teacher, _student, _label, divergences) => this.addRow(divergences()));
  }

  /** One sample that is scored already. */
  addRow(row: Divergences): void {
    this.rows++;
    this.forward.add(row.forward);
    this.reverse.add(row.reverse);
    this.jensenShannon.add(row.jensenShannon);
    this.totalVariation.add(row.totalVariation);
  }

  merge(other: DivergenceAccumulator): void {
    this.shape.assertSame(other.shape);
    this.rows += other.rows;
    this.forward.merge(other.forward);
    this.reverse.merge(other.reverse);
    this.jensenShannon.merge(other.jensenShannon);
    this.totalVariation.merge(other.totalVariation);
  }

  toJSON(): DivergenceState {
    return {
      ...this.shape.settings(),
      n: this.rows,
      forward: this.forward.toJSON(),
      reverse: this.reverse.toJSON(),
      jensenShannon: this.jensenShannon.toJSON(),
      totalVariation: this.totalVariation.toJSON(),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: DivergenceState): DivergenceAccumulator {
    assertCount('n', state.n, 0);
    const restored = new DivergenceAccumulator(state);
    restored.rows = state.n;
    restored.forward = CompensatedSum.fromJSON(state.forward);
    restored.reverse = CompensatedSum.fromJSON(state.reverse);
    restored.jensenShannon = CompensatedSum.fromJSON(state.jensenShannon);
    restored.totalVariation = CompensatedSum.fromJSON(state.totalVariation);
    return restored;
  }

  result(): DivergenceResult {
    const { rows } = this;
    assertNotEmpty(rows);
    return {
      predictiveKl: this.forward.value / rows,
      reverseKl: this.reverse.value / rows,
      jensenShannon: this.jensenShannon.value / rows,
      totalVariation: this.totalVariation.value / rows,
    };
  }
}
