import { assertCount, assertSameSettings } from './accumulator.js';
import {
  assertKind,
  assertLength,
  assertRows,
  scanProbabilities,
  type InputKind,
  type ProbabilityScan,
  type Rows,
} from './input.js';
import { assertLabels, type Labels } from './logits.js';
import { createRowScore, divisorOf, scoreRow, scoreTop, type RowScore, type TopScore } from './row-score.js';

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

/** One model and the labels. */
export interface LabelledBatch {
  /** [rows][classes] */
  readonly model: Rows;
  /** [rows], each 0…classes−1. */
  readonly labels: Labels;
  readonly rows: number;
}

/** What the rows of every batch look like: checks them and scores them. */
export class InputShape {
  readonly classes: number;
  readonly kind: InputKind;
  private readonly first: RowScore;
  private readonly second: RowScore;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes or an unknown kind */
  constructor({ classes, kind = 'logits' }: InputSettings) {
    assertCount('classes', classes, 2);
    assertKind(kind);
    this.classes = classes;
    this.kind = kind;
    this.first = createRowScore(classes);
    this.second = createRowScore(classes);
  }

  /**
   * Checks the whole batch, then visits its rows in order. The scores are the same two objects each time. Label is −1 where
   * there are none.
   *
   * @throws FidelisError REQUEST.INVALID before the first visit
   */
  visitPairs(batch: PairBatch, visit: (teacher: RowScore, student: RowScore, label: number) => void): void {
    const { teacher, student, labels, rows } = batch;
    assertRows('teacher', teacher, rows, this.classes, this.kind);
    assertRows('student', student, rows, this.classes, this.kind);
    if (labels !== undefined) assertLabels(labels, rows, this.classes);
    for (let row = 0; row < rows; row++) {
      scoreRow(teacher, row, this.first, this.kind);
      scoreRow(student, row, this.second, this.kind);
      visit(this.first, this.second, labels?.[row] ?? -1);
    }
  }

  /**
   * As `visitPairs`, for one model.
   *
   * @throws FidelisError REQUEST.INVALID before the first visit
   */
  visit({ model, labels, rows }: LabelledBatch, visit: (score: RowScore, label: number) => void): void {
    assertRows('model', model, rows, this.classes, this.kind);
    assertLabels(labels, rows, this.classes);
    for (let row = 0; row < rows; row++) {
      scoreRow(model, row, this.first, this.kind);
      visit(this.first, labels[row] ?? 0);
    }
  }

  /**
   * As `visit`, with no more than class and confidence.
   *
   * @throws FidelisError REQUEST.INVALID before the first visit
   */
  visitTops(batch: LabelledBatch, visit: (top: TopScore, label: number) => void): void {
    const { model, labels, rows } = batch;
    const { classes, kind } = this;
    if (kind === 'probs') assertLength('model', model, rows, classes);
    else assertRows('model', model, rows, classes, kind);
    assertLabels(labels, rows, classes);
    const top: TopScore = { predicted: 0, confidence: 0 };
    if (kind === 'probs') {
      const tops = this.scanTops(batch);
      for (let row = 0; row < rows; row++) {
        top.predicted = tops.predicted[row] ?? 0;
        top.confidence = tops.confidence[row] ?? NaN;
        visit(top, labels[row] ?? 0);
      }
      return;
    }
    for (let row = 0; row < rows; row++) {
      scoreTop(model, row, classes, top);
      visit(top, labels[row] ?? 0);
    }
  }

  /** Probabilities need one look to be checked and scored; the scores wait until the last row is known to be good. */
  private scanTops({ model, rows }: LabelledBatch): {
    readonly predicted: Uint32Array;
    readonly confidence: Float64Array;
  } {
    const predicted = new Uint32Array(rows);
    const confidence = new Float64Array(rows);
    const scan: ProbabilityScan = { sum: 0, predicted: 0 };
    for (let row = 0; row < rows; row++) {
      scanProbabilities('model', model, row, this.classes, scan);
      predicted[row] = scan.predicted;
      const largest = model[row * this.classes + scan.predicted] ?? NaN;
      confidence[row] = Math.min(1, largest / divisorOf(scan.sum));
    }
    return { predicted, confidence };
  }

  /** @throws FidelisError REQUEST.INVALID unless classes and kind are the same */
  assertSame(other: InputShape): void {
    assertSameSettings(this.settings(), other.settings());
  }

  settings(): Required<InputSettings> {
    return { classes: this.classes, kind: this.kind };
  }
}
