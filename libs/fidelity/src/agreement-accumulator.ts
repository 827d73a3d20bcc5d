import { assertCount, assertNotEmpty, assertSameSettings, refuse, type Accumulator } from './accumulator.js';
import { InputShape, type InputSettings, type PairBatch } from './batch.js';
import { cohenKappa, disagreements, type Disagreement } from './disagreement.js';
import type { ScoredRow } from './scored-row.js';

export interface AgreementSettings extends InputSettings {
  /** Whether batches bring labels: all of them or none. */
  readonly labels: boolean;
  /** k of the top-k agreement. @default 5 */
  readonly topK?: number;
}

/** One class, with respect to what the teacher predicts and, with labels, to what is true. Shares of nothing are null. */
export interface ClassAgreement {
  readonly class: number;
  /** Rows where the teacher predicts this class. */
  readonly teacherPredicted: number;
  /** Rows where the student predicts this class. */
  readonly studentPredicted: number;
  /** Of the rows where the teacher predicts it: the share where the student does too. */
  readonly agreement: number | null;
  readonly labels?: {
    /** Rows with this label. */
    readonly count: number;
    readonly agreement: number | null;
    readonly teacherAccuracy: number | null;
    readonly studentAccuracy: number | null;
  };
}

export interface AgreementResult {
  /** (1/N) Σ 1{argmax z_t = argmax z_s}, 0…1 (paper.md §2.4). Ties: the first class, on both sides. */
  readonly top1Agreement: number;
  /** Share of rows where the teacher's class is among the student's k most probable (big_vision's `agree`); 1 if classes ≤ k. */
  readonly topKAgreement: number;
  readonly topK: number;
  /** Agreement beyond chance, see `cohenKappa`; null where it has no value. */
  readonly cohenKappa: number | null;
  /** Top-1 agreement where the teacher's class is the label; null without such rows; absent without labels. */
  readonly agreementTeacherRight?: number | null;
  /** Top-1 agreement where the teacher's class is not the label; null without such rows; absent without labels. */
  readonly agreementTeacherWrong?: number | null;
  readonly perClass: readonly ClassAgreement[];
  /** Filled cells of the matrix [teacher's class][student's class], with the diagonal. */
  readonly disagreement: readonly Disagreement[];
}

export interface AgreementState extends Required<AgreementSettings> {
  readonly n: number;
  readonly inTop: number;
  /** Filled cells: cell index, count, cell index, … */
  readonly cells: readonly number[];
  /** By label: rows, agreed, teacher right, student right, agreed and teacher right. Empty without labels. */
  readonly byLabel: readonly (readonly number[])[];
}

const LABEL_COUNTS = 5;
const COUNT = { rows: 0, agreed: 1, teacherRight: 2, studentRight: 3, agreedRight: 4 } as const;

/** Whether teacher and student predict the same class. Memory O(classes²): the disagreement matrix. */
export class AgreementAccumulator implements Accumulator<PairBatch, AgreementState, AgreementResult> {
  private readonly shape: InputShape;
  private readonly labels: boolean;
  private readonly topK: number;
  private rows = 0;
  private inTop = 0;
  private readonly matrix: Float64Array;
  /** [classes][LABEL_COUNTS] */
  private readonly byLabel: Float64Array;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes, an unknown kind or a topK below 1 */
  constructor({ labels, topK = 5, ...input }: AgreementSettings) {
    assertCount('topK', topK, 1);
    this.shape = new InputShape(input);
    this.labels = labels;
    this.topK = topK;
    this.matrix = new Float64Array(this.shape.classes ** 2);
    this.byLabel = new Float64Array(labels ? this.shape.classes * LABEL_COUNTS : 0);
  }

  get n(): number {
    return this.rows;
  }

  add(batch: PairBatch): void {
    assertLabelled(batch, this.labels);
    this.shape.visitPairs(batch, (teacher, student, label) => this.addRow(teacher, student, label));
  }

  /** One sample that is scored already; the label counts only if the accumulator has labels. */
  addRow(teacher: ScoredRow, student: ScoredRow, label: number): void {
    const agreed = teacher.predicted === student.predicted;
    const cell = teacher.predicted * this.shape.classes + student.predicted;
    this.rows++;
    this.matrix[cell] = (this.matrix[cell] ?? 0) + 1;
    if (student.isInTop(teacher.predicted, this.topK)) this.inTop++;
    if (!this.labels) return;
    const right = teacher.predicted === label;
    this.count(label, COUNT.rows);
    if (agreed) this.count(label, COUNT.agreed);
    if (right) this.count(label, COUNT.teacherRight);
    if (student.predicted === label) this.count(label, COUNT.studentRight);
    if (agreed && right) this.count(label, COUNT.agreedRight);
  }

  merge(other: AgreementAccumulator): void {
    assertSameSettings(this.settings(), other.settings());
    this.rows += other.rows;
    this.inTop += other.inTop;
    other.matrix.forEach((count, cell) => (this.matrix[cell] = (this.matrix[cell] ?? 0) + count));
    other.byLabel.forEach((count, index) => (this.byLabel[index] = (this.byLabel[index] ?? 0) + count));
  }

  toJSON(): AgreementState {
    const cells: number[] = [];
    this.matrix.forEach((count, cell) => {
      if (count > 0) cells.push(cell, count);
    });
    const classes = this.labels ? this.shape.classes : 0;
    return {
      ...this.settings(),
      n: this.rows,
      inTop: this.inTop,
      cells,
      byLabel: Array.from({ length: classes }, (_, label) => [
        ...this.byLabel.subarray(label * LABEL_COUNTS, (label + 1) * LABEL_COUNTS),
      ]),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: AgreementState): AgreementAccumulator {
    const restored = new AgreementAccumulator(state);
    assertCount('n', state.n, 0);
    assertCount('inTop', state.inTop, 0);
    restored.rows = state.n;
    restored.inTop = state.inTop;
    for (let index = 0; index < state.cells.length; index += 2) {
      const cell = state.cells[index] ?? NaN;
      const count = state.cells[index + 1] ?? NaN;
      assertCount('cells', cell, 0);
      assertCount('count', count, 1);
      if (cell >= restored.matrix.length) refuse(`the saved matrix is damaged: it has no cell ${cell}`);
      restored.matrix[cell] = count;
    }
    const counts = state.byLabel.flat();
    if (counts.length !== restored.byLabel.length) {
      refuse(
        `the saved counts by label are damaged: ${counts.length} where ${restored.byLabel.length} belong`,
      );
    }
    for (const count of counts) assertCount('byLabel', count, 0);
    restored.byLabel.set(counts);
    return restored;
  }

  result(): AgreementResult {
    assertNotEmpty(this.rows);
    const { classes } = this.shape;
    const cells = disagreements(this.matrix, classes);
    const agreed = cells.reduce((sum, cell) => sum + (cell.teacher === cell.student ? cell.count : 0), 0);
    return {
      top1Agreement: agreed / this.rows,
      topKAgreement: this.inTop / this.rows,
      topK: this.topK,
      cohenKappa: cohenKappa(this.matrix, classes),
      ...(this.labels ? this.conditional(agreed) : {}),
      perClass: this.perClass(),
      disagreement: cells,
    };
  }

  private conditional(
    agreed: number,
  ): Required<Pick<AgreementResult, 'agreementTeacherRight' | 'agreementTeacherWrong'>> {
    let right = 0;
    let agreedRight = 0;
    for (let label = 0; label < this.shape.classes; label++) {
      right += this.counted(label, COUNT.teacherRight);
      agreedRight += this.counted(label, COUNT.agreedRight);
    }
    return {
      agreementTeacherRight: share(agreedRight, right),
      agreementTeacherWrong: share(agreed - agreedRight, this.rows - right),
    };
  }

  private perClass(): ClassAgreement[] {
    const { classes } = this.shape;
    return Array.from({ length: classes }, (_, index): ClassAgreement => {
      let teacherPredicted = 0;
      let studentPredicted = 0;
      for (let other = 0; other < classes; other++) {
        teacherPredicted += this.matrix[index * classes + other] ?? 0;
        studentPredicted += this.matrix[other * classes + index] ?? 0;
      }
      const agreement = share(this.matrix[index * classes + index] ?? 0, teacherPredicted);
      const seen = { class: index, teacherPredicted, studentPredicted, agreement };
      if (!this.labels) return seen;
      const count = this.counted(index, COUNT.rows);
      return {
        ...seen,
        labels: {
          count,
          agreement: share(this.counted(index, COUNT.agreed), count),
          teacherAccuracy: share(this.counted(index, COUNT.teacherRight), count),
          studentAccuracy: share(this.counted(index, COUNT.studentRight), count),
        },
      };
    });
  }

  private settings(): Required<AgreementSettings> {
    return { ...this.shape.settings(), labels: this.labels, topK: this.topK };
  }

  private count(label: number, what: number): void {
    const index = label * LABEL_COUNTS + what;
    this.byLabel[index] = (this.byLabel[index] ?? 0) + 1;
  }

  private counted(label: number, what: number): number {
    return this.byLabel[label * LABEL_COUNTS + what] ?? 0;
  }
}

/** @throws FidelisError REQUEST.INVALID unless the batch has labels where the accumulator has, and none where it has none */
export function assertLabelled({ labels }: Pick<PairBatch, 'labels'>, expected: boolean): void {
  if (expected && labels === undefined) refuse('labels: missing from a batch of a labelled evaluation');
  if (!expected && labels !== undefined) {
    refuse('labels: given to an evaluation without labels: create it with labels true');
  }
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
