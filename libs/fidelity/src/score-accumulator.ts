import { assertCount, assertNotEmpty, assertSameSettings, type Accumulator } from './accumulator.js';
import { InputShape, type InputSettings, type LabelledBatch } from './batch.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';
import type { ScoredRow } from './scored-row.js';

export interface ScoreSettings extends InputSettings {
  /** k of the top-k accuracy. @default 5 */
  readonly topK?: number;
}

export interface ScoreResult {
  /** Share of rows whose argmax is the label, 0…1. Ties: the first class. */
  readonly accuracy: number;
  /** Share of rows whose label is among the k most probable classes, 0…1; 1 if classes ≤ k. Ties: the first classes. */
  readonly topKAccuracy: number;
  readonly topK: number;
  /** −(1/N) Σ log p[label], nats (paper.md §2.4); ≥ 0, +∞ if a label ever had probability 0. */
  readonly nll: number;
  /** (1/N) Σ Σ_k (p_k − 1{k = label})², summed over the classes (Brier 1950), 0…2. */
  readonly brier: number;
}

export interface ScoreState extends Required<ScoreSettings> {
  readonly n: number;
  readonly correct: number;
  readonly inTop: number;
  readonly nll: CompensatedSumState;
  readonly brier: CompensatedSumState;
}

/** How well one model predicts the labels: accuracy and the proper scores. Memory O(classes). */
export class ScoreAccumulator implements Accumulator<LabelledBatch, ScoreState, ScoreResult> {
  private readonly shape: InputShape;
  private readonly topK: number;
  private rows = 0;
  private correct = 0;
  private inTop = 0;
  private nll = new CompensatedSum();
  private brier = new CompensatedSum();

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes, an unknown kind or a topK below 1 */
  constructor({ topK = 5, ...input }: ScoreSettings) {
    assertCount('topK', topK, 1);
    this.shape = new InputShape(input);
    this.topK = topK;
  }

  get n(): number {
    return this.rows;
  }

  add(batch: LabelledBatch): void {
    this.shape.visit(batch, (score, label) => this.addRow(score, label));
  }

  /** One sample that is scored already. */
  addRow(score: ScoredRow, label: number): void {
    this.rows++;
    if (score.predicted === label) this.correct++;
    if (score.isInTop(label, this.topK)) this.inTop++;
    // 0 and not −0 where the label is certain.
    this.nll.add(0 - (score.logProbabilities[label] ?? NaN));
    this.brier.add(score.squaredDistance(label));
  }

  merge(other: ScoreAccumulator): void {
    assertSameSettings(this.settings(), other.settings());
    this.rows += other.rows;
    this.correct += other.correct;
    this.inTop += other.inTop;
    this.nll.merge(other.nll);
    this.brier.merge(other.brier);
  }

  toJSON(): ScoreState {
    return {
      ...this.settings(),
      n: this.rows,
      correct: this.correct,
      inTop: this.inTop,
      nll: this.nll.toJSON(),
      brier: this.brier.toJSON(),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: ScoreState): ScoreAccumulator {
    for (const name of ['n', 'correct', 'inTop'] as const) assertCount(name, state[name], 0);
    const restored = new ScoreAccumulator(state);
    restored.rows = state.n;
    restored.correct = state.correct;
    restored.inTop = state.inTop;
    restored.nll = CompensatedSum.fromJSON(state.nll);
    restored.brier = CompensatedSum.fromJSON(state.brier);
    return restored;
  }

  result(): ScoreResult {
    const { rows } = this;
    assertNotEmpty(rows);
    return {
      accuracy: this.correct / rows,
      topKAccuracy: this.inTop / rows,
      topK: this.topK,
      nll: this.nll.value / rows,
      brier: this.brier.value / rows,
    };
  }

  private settings(): Required<ScoreSettings> {
    return { ...this.shape.settings(), topK: this.topK };
  }
}
