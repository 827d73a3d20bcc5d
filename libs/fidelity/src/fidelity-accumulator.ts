import { assertCount, assertNotEmpty, assertSameSettings, type Accumulator } from './accumulator.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';
import { klDivergence } from './divergences.js';
import { assertLogits, type Logits } from './logits.js';
import { createRowScore, scoreRow, type RowScore } from './row-score.js';

export interface FidelityBatch {
  /** [rows][classes] */
  readonly teacher: Logits;
  /** [rows][classes], the same samples in the same order. */
  readonly student: Logits;
  readonly rows: number;
}

export interface FidelityResult {
  /** (1/N) Σ 1{argmax z_t = argmax z_s}, 0…1. */
  readonly top1Agreement: number;
  /** (1/N) Σ KL(p_t ‖ p_s) at temperature 1, in nats; ≥ 0, possibly +∞. */
  readonly predictiveKl: number;
}

export interface FidelityState {
  readonly classes: number;
  readonly n: number;
  readonly agreed: number;
  readonly kl: CompensatedSumState;
}

/**
 * How well the student matches the teacher: top-1 agreement and predictive KL, teacher first (paper.md §2.4). Sums are over
 * samples, so a short batch weighs no more than its rows.
 */
export class FidelityAccumulator implements Accumulator<FidelityBatch, FidelityState, FidelityResult> {
  private rows = 0;
  private agreed = 0;
  private kl = new CompensatedSum();
  private readonly teacherRow: RowScore;
  private readonly studentRow: RowScore;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes */
  constructor(readonly classes: number) {
    assertCount('classes', classes, 2);
    this.teacherRow = createRowScore(classes);
    this.studentRow = createRowScore(classes);
  }

  get n(): number {
    return this.rows;
  }

  add({ teacher, student, rows }: FidelityBatch): void {
    assertLogits('teacher', teacher, rows, this.classes);
    assertLogits('student', student, rows, this.classes);
    for (let row = 0; row < rows; row++) {
      scoreRow(teacher, row, this.teacherRow);
      scoreRow(student, row, this.studentRow);
      this.addRow(this.teacherRow, this.studentRow);
    }
  }

  /** One sample that is scored already. */
  addRow(teacher: RowScore, student: RowScore): void {
    this.rows++;
    if (teacher.predicted === student.predicted) this.agreed++;
    this.kl.add(klDivergence(teacher.logProbabilities, student.logProbabilities));
  }

  merge(other: FidelityAccumulator): void {
    assertSameSettings({ classes: this.classes }, { classes: other.classes });
    this.rows += other.rows;
    this.agreed += other.agreed;
    this.kl.merge(other.kl);
  }

  toJSON(): FidelityState {
    return { classes: this.classes, n: this.rows, agreed: this.agreed, kl: this.kl.toJSON() };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: FidelityState): FidelityAccumulator {
    assertCount('n', state.n, 0);
    assertCount('agreed', state.agreed, 0);
    const restored = new FidelityAccumulator(state.classes);
    restored.rows = state.n;
    restored.agreed = state.agreed;
    restored.kl = CompensatedSum.fromJSON(state.kl);
    return restored;
  }

  result(): FidelityResult {
    assertNotEmpty(this.rows);
    return { top1Agreement: this.agreed / this.rows, predictiveKl: this.kl.value / this.rows };
  }
}
