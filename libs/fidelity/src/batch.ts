import { assertCount, assertSameSettings } from './accumulator.js';
import type { Divergences } from './divergences.js';
import { assertKind, assertLength, assertRows, type InputKind, type Rows } from './input.js';
import { assertLabels, type Labels } from './logits.js';
import type { ScoredRow } from './scored-row.js';
import { Workspace, type RowScans, type RowScorer } from './workspace.js';

export interface InputSettings {
  readonly classes: number;
  /** Of teacher and student alike. @default 'logits' */
  readonly kind?: InputKind;
}

/** Teacher and student on the same samples in the same order. */
export interface PairBatch {
  /** [rows][classes]; of an ensemble the combined logits. */
  readonly teacher: Rows;
  /** [rows][classes] */
  readonly student: Rows;
  /** [rows], each 0…classes−1. */
  readonly labels?: Labels;
  readonly rows: number;
}

/** As `PairBatch`, with several students. */
export interface CohortBatch extends Omit<PairBatch, 'student'> {
  /** Each [rows][classes] */
  readonly students: readonly Rows[];
}

/** One model and the labels. */
export interface LabelledBatch {
  /** [rows][classes] */
  readonly model: Rows;
  /** [rows], each 0…classes−1. */
  readonly labels: Labels;
  readonly rows: number;
}

/**
 * Takes one sample that is scored already.
 *
 * @param label −1 where there are none
 * @param divergences of the teacher's row from the student's; computed once, when first asked for
 */
export type VisitPair = (
  teacher: ScoredRow,
  student: ScoredRow,
  label: number,
  divergences: () => Divergences,
) => void;

/** What the rows of every batch look like: checks them and scores them. */
export class InputShape {
  readonly classes: number;
  readonly kind: InputKind;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes or an unknown kind */
  constructor({ classes, kind = 'logits' }: InputSettings) {
    assertCount('classes', classes, 2);
    assertKind(kind);
    this.classes = classes;
    this.kind = kind;
  }

  /**
   * Checks the whole batch, then visits its rows in order. The scores are the same two objects each time. Label is −1 where
   * there are none.
   *
   * @throws FidelisError REQUEST.INVALID before the first visit
   */
  visitPairs({ student, ...batch }: PairBatch, visit: VisitPair): void {
    this.visitCohort({ ...batch, students: [student] }, () => visit);
  }

  /**
   * As `visitPairs`, for several students: the teacher's row is scored once for all of them. Who is refused is "student", or
   * "student 0" and so on of several.
   *
   * @param visitorOf what takes the rows of the student with this index
   * @throws FidelisError REQUEST.INVALID before the first visit
   */
  visitCohort(batch: CohortBatch, visitorOf: (student: number) => VisitPair): void {
    const { teacher, students, labels, rows } = batch;
    const visitors = students.map((_, index) => visitorOf(index));
    Workspace.use(this.classes, 1 + students.length, (scorer) => {
      const teacherScans = this.scan(scorer, 'teacher', teacher, rows);
      const scans = students.map((values, index) =>
        this.scan(scorer, students.length === 1 ? 'student' : `student ${index}`, values, rows),
      );
      if (labels !== undefined) assertLabels(labels, rows, this.classes);
      const divergences = lazyDivergences(scorer);
      for (let start = 0; start < rows; start += scorer.blockRows) {
        const teacherBlock = scorer.load(0, teacher, start, rows);
        const blocks = students.map((values, index) => scorer.load(1 + index, values, start, rows));
        const end = Math.min(rows, start + scorer.blockRows);
        for (let row = start; row < end; row++) {
          const label = labels?.[row] ?? -1;
          scorer.score(teacherBlock, start, row, teacherScans, this.kind, scorer.teacher);
          for (let index = 0; index < visitors.length; index++) {
            const [block, scan, visit] = [blocks[index], scans[index], visitors[index]];
            if (block === undefined || scan === undefined || visit === undefined) continue;
            scorer.score(block, start, row, scan, this.kind, scorer.student);
            divergences.forget();
            visit(scorer.teacher, scorer.student, label, divergences.get);
          }
        }
      }
    });
  }

  /**
   * As `visitPairs`, for one model.
   *
   * @throws FidelisError REQUEST.INVALID before the first visit
   */
  visit({ model, labels, rows }: LabelledBatch, visit: (score: ScoredRow, label: number) => void): void {
    Workspace.use(this.classes, 1, (scorer) => {
      const scans = this.scan(scorer, 'model', model, rows);
      assertLabels(labels, rows, this.classes);
      for (let start = 0; start < rows; start += scorer.blockRows) {
        const block = scorer.load(0, model, start, rows);
        const end = Math.min(rows, start + scorer.blockRows);
        for (let row = start; row < end; row++) {
          scorer.score(block, start, row, scans, this.kind, scorer.student);
          visit(scorer.student, labels[row] ?? 0);
        }
      }
    });
  }

  /**
   * As `visit`, with no more than class and confidence, which are those of `visit` to the last bit.
   *
   * @throws FidelisError REQUEST.INVALID before the first visit
   */
  visitTops(
    { model, labels, rows }: LabelledBatch,
    visit: (predicted: number, confidence: number, label: number) => void,
  ): void {
    Workspace.use(this.classes, 1, (scorer) => {
      const scans = this.scan(scorer, 'model', model, rows);
      assertLabels(labels, rows, this.classes);
      const confidences = scorer.confidences(model, rows, this.kind, scans);
      for (let row = 0; row < rows; row++) {
        visit(scans.predicted[row] ?? 0, confidences[row] ?? NaN, labels[row] ?? 0);
      }
    });
  }

  /** @throws FidelisError REQUEST.INVALID unless classes and kind are the same */
  assertSame(other: InputShape): void {
    assertSameSettings(this.settings(), other.settings());
  }

  settings(): Required<InputSettings> {
    return { classes: this.classes, kind: this.kind };
  }

  private scan(scorer: RowScorer, name: string, values: Rows, rows: number): RowScans {
    assertLength(name, values, rows, this.classes);
    const scans = scorer.scan(values, rows, this.kind);
    if (!scans.plausible) assertRows(name, values, rows, this.classes, this.kind);
    return scans;
  }
}

function lazyDivergences({ teacher, student }: RowScorer): { get: () => Divergences; forget: () => void } {
  const row: Divergences = { forward: 0, reverse: 0, jensenShannon: 0, totalVariation: 0 };
  let known = false;
  return {
    get: () => {
      if (!known) teacher.divergencesFrom(student, row);
      known = true;
      return row;
    },
    forget: () => (known = false),
  };
}
