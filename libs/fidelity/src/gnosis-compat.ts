import { assertNotEmpty, refuse } from './accumulator.js';
import { InputShape, type InputSettings, type PairBatch } from './batch.js';
import { klDivergence } from './divergences.js';
import { ReliabilityBins } from './reliability.js';

/** Figures as the code published with the paper computes them. They are no estimates of what their names say: for comparison only. */
export interface GnosisCompatResult {
  /**
   * Mean over the batches of −(1/B²) Σ_i Σ_j log p_i[y_j]: the code indexes `log_softmax(z)[..., targets]`, which pairs every row with
   * every label of its batch (paper.md §3.1, mistake 1). It depends on the batches. Of the student.
   */
  readonly nll: number;
  /** ECE over 10 bins (lo, hi], divided by scored and unlabelled rows together (mistake 3). Of the student. */
  readonly ece: number;
  /** Mean over the batches of the batches' mean KL(p_t ‖ p_s): a short last batch weighs as much as a full one (mistake 2). */
  readonly predictiveKl: number;
}

const GNOSIS_BINS = { bins: 10, convention: 'gnosis' } as const;

/** `gnosis-compat` variants; each `add` is one batch of the published loop, so the split into batches is part of the result. */
export class GnosisCompat {
  private readonly shape: InputShape;
  private readonly reliability = new ReliabilityBins(GNOSIS_BINS);
  private batches = 0;
  private rows = 0;
  private unlabelled = 0;
  private nll = 0;
  private kl = 0;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes or an unknown kind */
  constructor(settings: InputSettings) {
    this.shape = new InputShape(settings);
  }

  /**
   * @param unlabelledRows synthetic rows that the batch had besides, which the published ECE counts
   * @throws FidelisError REQUEST.INVALID if labels are missing, or as `EvaluationEngine.add`
   */
  add(batch: PairBatch, unlabelledRows = 0): void {
    const { labels, rows } = batch;
    if (labels === undefined) refuse('labels: the gnosis-compat figures need them');
    if (rows === 0) return;
    const timesSeen = new Map<number, number>();
    for (const label of labels) timesSeen.set(label, (timesSeen.get(label) ?? 0) + 1);
    let pairs = 0;
    let divergence = 0;
    this.shape.visitPairs(batch, (teacher, student, label) => {
      for (const [other, times] of timesSeen) pairs -= times * (student.logProbabilities[other] ?? NaN);
      divergence += klDivergence(teacher.logProbabilities, student.logProbabilities);
      this.reliability.add(student.confidence, student.predicted === label);
    });
    this.batches++;
    this.rows += rows;
    this.unlabelled += unlabelledRows;
    this.nll += pairs / rows ** 2;
    this.kl += divergence / rows;
  }

  /** @throws FidelisError REQUEST.INVALID if no row was added */
  result(): GnosisCompatResult {
    assertNotEmpty(this.rows);
    return {
      nll: this.nll / this.batches,
      ece: (this.reliability.expectedCalibrationError() * this.rows) / (this.rows + this.unlabelled),
      predictiveKl: this.kl / this.batches,
    };
  }
}
