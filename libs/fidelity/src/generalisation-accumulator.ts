import { assertCount, assertNotEmpty, assertSameSettings, type Accumulator } from './accumulator.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';
import { assertLabels, assertLogits, type Labels, type Logits } from './logits.js';
import {
  ReliabilityBins,
  type CalibrationSettings,
  type ReliabilityBin,
  type ReliabilityState,
} from './reliability.js';
import { createRowScore, scoreRow, type RowScore } from './row-score.js';

export interface GeneralisationSettings extends CalibrationSettings {
  readonly classes: number;
}

export interface GeneralisationBatch {
  /** [rows][classes] */
  readonly logits: Logits;
  /** [rows], each 0…classes−1. */
  readonly labels: Labels;
  readonly rows: number;
}

export interface GeneralisationResult {
  /** Share of rows whose argmax is the label, 0…1. */
  readonly accuracy: number;
  /** −(1/N) Σ log p[label], nats; +∞ if a label ever had probability 0. */
  readonly nll: number;
  /** Expected calibration error, 0…1. */
  readonly ece: number;
}

export interface GeneralisationState {
  readonly classes: number;
  readonly n: number;
  readonly correct: number;
  readonly nll: CompensatedSumState;
  readonly reliability: ReliabilityState;
}

/** How well a model predicts the labels: top-1 accuracy, NLL and ECE (paper.md §2.4), weighted by samples. */
export class GeneralisationAccumulator implements Accumulator<
  GeneralisationBatch,
  GeneralisationState,
  GeneralisationResult
> {
  readonly classes: number;
  private rows = 0;
  private correct = 0;
  private nll = new CompensatedSum();
  private reliability: ReliabilityBins;
  private readonly score: RowScore;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes, less than one bin or an unknown convention */
  constructor({ classes, bins, convention }: GeneralisationSettings) {
    assertCount('classes', classes, 2);
    this.classes = classes;
    this.reliability = new ReliabilityBins({ bins, convention });
    this.score = createRowScore(classes);
  }

  get n(): number {
    return this.rows;
  }

  add({ logits, labels, rows }: GeneralisationBatch): void {
    assertLogits('logits', logits, rows, this.classes);
    assertLabels(labels, rows, this.classes);
    for (let row = 0; row < rows; row++) {
      scoreRow(logits, row, this.score);
      this.addRow(this.score, labels[row] ?? 0);
    }
  }

  /** One sample that is scored already. */
  addRow(score: RowScore, label: number): void {
    const correct = score.predicted === label;
    this.rows++;
    if (correct) this.correct++;
    // 0 and not −0 where the label is certain.
    this.nll.add(0 - (score.logProbabilities[label] ?? NaN));
    this.reliability.add(score.confidence, correct);
  }

  merge(other: GeneralisationAccumulator): void {
    assertSameSettings({ classes: this.classes }, { classes: other.classes });
    this.reliability.merge(other.reliability);
    this.rows += other.rows;
    this.correct += other.correct;
    this.nll.merge(other.nll);
  }

  toJSON(): GeneralisationState {
    return {
      classes: this.classes,
      n: this.rows,
      correct: this.correct,
      nll: this.nll.toJSON(),
      reliability: this.reliability.toJSON(),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: GeneralisationState): GeneralisationAccumulator {
    assertCount('n', state.n, 0);
    assertCount('correct', state.correct, 0);
    const { bins, convention } = state.reliability;
    const restored = new GeneralisationAccumulator({ classes: state.classes, bins, convention });
    restored.rows = state.n;
    restored.correct = state.correct;
    restored.nll = CompensatedSum.fromJSON(state.nll);
    restored.reliability = ReliabilityBins.fromJSON(state.reliability);
    return restored;
  }

  result(): GeneralisationResult {
    assertNotEmpty(this.rows);
    return {
      accuracy: this.correct / this.rows,
      nll: this.nll.value / this.rows,
      ece: this.reliability.expectedCalibrationError(),
    };
  }

  /** Bars of the reliability diagram, by rising confidence. */
  diagram(): ReliabilityBin[] {
    return this.reliability.diagram();
  }
}
