import { assertCount, assertNotEmpty, refuse } from './accumulator.js';
import { InputShape, type InputSettings, type PairBatch } from './batch.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';
import { GnosisBins, type GnosisBinsState } from './gnosis-bins.js';
import { assertLabels, type Labels } from './logits.js';

/** One batch of the published loop. */
export interface GnosisBatch extends PairBatch {
  /** Of the first rows, at least one; the rows after them are the synthetic ones, which the published loop appends without a label. */
  readonly labels: Labels;
}

/** Figures as the code published with the paper computes them. They are no estimates of what their names say: for comparison only. */
export interface GnosisCompatResult {
  /**
   * `test_nll`: mean over the batches of −(1/B²) Σ_i Σ_j log p_i[y_j], nats, of the B rows with labels: the code indexes
   * `log_softmax(z)[..., targets]`, which pairs every row with every label of its batch (paper.md §3.1, mistake 1). +∞ if any row
   * gives any of those labels probability 0. Of the student.
   */
  readonly nll: number;
  /**
   * `test_ece`, `train_ece`: Σ_b |right − Σ confidence| over the rows with labels in the bins of `GnosisBins`, divided by all rows
   * (mistake 3), 0…1. Of the student.
   */
  readonly ece: number;
  /**
   * `test_ts_kl`, `train_ts_kl`: mean over the batches of the batches' mean KL(p_t ‖ p_s), nats, of all rows: a short last batch weighs
   * as much as a full one (mistake 2). The published loop has +∞ where a probability of the student underflows in float32
   * (below about 1e-38, or 1e-45); this is float64.
   */
  readonly predictiveKl: number;
}

export interface GnosisCompatState extends Required<InputSettings> {
  readonly batches: number;
  readonly rows: number;
  readonly nll: CompensatedSumState;
  readonly kl: CompensatedSumState;
  readonly bins: GnosisBinsState;
}

/**
 * `gnosis-compat` variants. Each `add` is one whole batch of the published loop: the split of the rows into batches is part of the
 * result, by definition. The order of the batches is not, and `merge` adds the other's batches as batches of their own; a batch that is
 * divided among two accumulators is two batches. Memory O(classes).
 */
export class GnosisCompat {
  private readonly shape: InputShape;
  private bins = new GnosisBins();
  private batches = 0;
  private rows = 0;
  private nll = new CompensatedSum();
  private kl = new CompensatedSum();

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes or an unknown kind */
  constructor(settings: InputSettings) {
    this.shape = new InputShape(settings);
  }

  /** Rows so far, with and without labels. */
  get n(): number {
    return this.rows;
  }

  /** @throws FidelisError REQUEST.INVALID, and nothing is added, if no row has a label, or as `EvaluationEngine.add` */
  add({ teacher, student, rows, labels }: GnosisBatch): void {
    const labelled = labels.length;
    if (labelled === 0) refuse('labels: the gnosis-compat figures need them');
    if (labelled > rows) refuse(`labels: ${labelled} values for ${rows} rows`, { of: 'labels' });
    assertLabels(labels, labelled, this.shape.classes);
    const timesSeen = new Map<number, number>();
    for (const label of labels) timesSeen.set(label, (timesSeen.get(label) ?? 0) + 1);
    let pairs = 0;
    let divergence = 0;
    let row = 0;
    this.shape.visitPairs({ teacher, student, rows }, (_ofTeacher, ofStudent, _label, divergences) => {
      divergence += divergences().forward;
      if (row < labelled) {
        for (const [label, times] of timesSeen) pairs -= times * (ofStudent.logProbabilities[label] ?? NaN);
        this.bins.add(ofStudent.confidence, ofStudent.predicted === labels[row]);
      }
      row++;
    });
    this.batches++;
    this.rows += rows;
    this.nll.add(pairs / labelled ** 2);
    this.kl.add(divergence / rows);
  }

  /**
   * Adds the batches of another one; it is not changed.
   *
   * @throws FidelisError REQUEST.INVALID if the settings differ
   */
  merge(other: GnosisCompat): void {
    this.shape.assertSame(other.shape);
    this.batches += other.batches;
    this.rows += other.rows;
    this.nll.merge(other.nll);
    this.kl.merge(other.kl);
    this.bins.merge(other.bins);
  }

  /** A plain object that survives JSON; `fromJSON` takes it. */
  toJSON(): GnosisCompatState {
    return {
      ...this.shape.settings(),
      batches: this.batches,
      rows: this.rows,
      nll: this.nll.toJSON(),
      kl: this.kl.toJSON(),
      bins: this.bins.toJSON(),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: GnosisCompatState): GnosisCompat {
    assertCount('batches', state.batches, 0);
    assertCount('rows', state.rows, state.batches);
    const restored = new GnosisCompat(state);
    restored.batches = state.batches;
    restored.rows = state.rows;
    restored.nll = CompensatedSum.fromJSON(state.nll);
    restored.kl = CompensatedSum.fromJSON(state.kl);
    restored.bins = GnosisBins.fromJSON(state.bins);
    return restored;
  }

  /** @throws FidelisError REQUEST.INVALID if no row was added */
  result(): GnosisCompatResult {
    assertNotEmpty(this.rows);
    return {
      nll: this.nll.value / this.batches,
      ece: this.bins.gaps() / this.rows,
      predictiveKl: this.kl.value / this.batches,
    };
  }
}
