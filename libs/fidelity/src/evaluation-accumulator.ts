import { assertNotEmpty, type Accumulator } from './accumulator.js';
import { FidelityAccumulator, type FidelityResult, type FidelityState } from './fidelity-accumulator.js';
import {
  GeneralisationAccumulator,
  type GeneralisationResult,
  type GeneralisationSettings,
  type GeneralisationState,
} from './generalisation-accumulator.js';
import { assertLabels, assertLogits, type Labels, type Logits } from './logits.js';
import type { ReliabilityBin } from './reliability.js';
import { createRowScore, scoreRow, type RowScore } from './row-score.js';

export interface EvaluationBatch {
  /** [rows][classes]; of an ensemble the combined logits. */
  readonly teacher: Logits;
  /** [rows][classes], the same samples in the same order. */
  readonly student: Logits;
  /** [rows], each 0…classes−1. */
  readonly labels: Labels;
  readonly rows: number;
}

export interface EvaluationResult {
  readonly n: number;
  readonly fidelity: FidelityResult;
  readonly teacher: GeneralisationResult;
  readonly student: GeneralisationResult;
  /** Bars of the reliability diagrams, by rising confidence. */
  readonly reliability: {
    readonly teacher: readonly ReliabilityBin[];
    readonly student: readonly ReliabilityBin[];
  };
}

export interface EvaluationState {
  readonly fidelity: FidelityState;
  readonly teacher: GeneralisationState;
  readonly student: GeneralisationState;
}

/** Everything about one (teacher, student, set): each row is scored once for all metric families. */
export class EvaluationAccumulator implements Accumulator<
  EvaluationBatch,
  EvaluationState,
  EvaluationResult
> {
  readonly classes: number;
  private fidelity: FidelityAccumulator;
  private teacher: GeneralisationAccumulator;
  private student: GeneralisationAccumulator;
  private readonly teacherRow: RowScore;
  private readonly studentRow: RowScore;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes, less than one bin or an unknown convention */
  constructor(settings: GeneralisationSettings) {
    this.classes = settings.classes;
    this.fidelity = new FidelityAccumulator(settings.classes);
    this.teacher = new GeneralisationAccumulator(settings);
    this.student = new GeneralisationAccumulator(settings);
    this.teacherRow = createRowScore(settings.classes);
    this.studentRow = createRowScore(settings.classes);
  }

  get n(): number {
    return this.fidelity.n;
  }

  add({ teacher, student, labels, rows }: EvaluationBatch): void {
    assertLogits('teacher', teacher, rows, this.classes);
    assertLogits('student', student, rows, this.classes);
    assertLabels(labels, rows, this.classes);
    for (let row = 0; row < rows; row++) {
      const label = labels[row] ?? 0;
      scoreRow(teacher, row, this.teacherRow);
      scoreRow(student, row, this.studentRow);
      this.fidelity.addRow(this.teacherRow, this.studentRow);
      this.teacher.addRow(this.teacherRow, label);
      this.student.addRow(this.studentRow, label);
    }
  }

  merge(other: EvaluationAccumulator): void {
    // Refused by the first one or by none: all three have the same settings.
    this.teacher.merge(other.teacher);
    this.student.merge(other.student);
    this.fidelity.merge(other.fidelity);
  }

  toJSON(): EvaluationState {
    return {
      fidelity: this.fidelity.toJSON(),
      teacher: this.teacher.toJSON(),
      student: this.student.toJSON(),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: EvaluationState): EvaluationAccumulator {
    const { bins, convention } = state.teacher.reliability;
    const restored = new EvaluationAccumulator({ classes: state.fidelity.classes, bins, convention });
    restored.fidelity = FidelityAccumulator.fromJSON(state.fidelity);
    restored.teacher = GeneralisationAccumulator.fromJSON(state.teacher);
    restored.student = GeneralisationAccumulator.fromJSON(state.student);
    return restored;
  }

  result(): EvaluationResult {
    assertNotEmpty(this.n);
    return {
      n: this.n,
      fidelity: this.fidelity.result(),
      teacher: this.teacher.result(),
      student: this.student.result(),
      reliability: { teacher: this.teacher.diagram(), student: this.student.diagram() },
    };
  }
}
