import { assertNotEmpty, type Accumulator } from './accumulator.js';
import { InputShape, type InputSettings, type LabelledBatch } from './batch.js';
import { ClasswiseBins, type ClasswiseBinsState } from './classwise-bins.js';
import { DEFAULT_BINS, DEFAULT_CONVENTION, type BinSettings } from './reliability-accumulator.js';
import type { ScoredRow } from './scored-row.js';

/** Murphy's decomposition (1973) of the Brier score over bins, summed over the classes. */
export interface MurphyDecomposition {
  /** Σ_k Σ_b (n_bk / N) (p̄_bk − ō_bk)²: 0 for a calibrated model; smaller is better. */
  readonly reliability: number;
  /** Σ_k Σ_b (n_bk / N) (ō_bk − ō_k)²: how far the bins tell cases apart; larger is better. */
  readonly resolution: number;
  /** Σ_k ō_k (1 − ō_k): of the labels alone. */
  readonly uncertainty: number;
}

export interface ClasswiseResult {
  /**
   * (1/K) Σ_k Σ_b (n_bk / N) |ō_bk − p̄_bk|: the ECE of the probability of each class against how often the class comes out, averaged
   * over the K classes (Nixon et al. 2019, "SCE"; Kull et al. 2019), 0…1. Classes that never come out count too.
   */
  readonly classwiseEce: number;
  /**
   * Brier = reliability − resolution + uncertainty, exactly where the probabilities of a bin are equal; else the rest is what varies
   * within bins (Stephenson et al. 2008).
   */
  readonly murphy: MurphyDecomposition;
}

export interface ClasswiseState extends Required<InputSettings> {
  readonly bins: ClasswiseBinsState;
}

/** Calibration of one model's probability of every class. Memory O(bins × classes). */
export class ClasswiseAccumulator implements Accumulator<LabelledBatch, ClasswiseState, ClasswiseResult> {
  private readonly shape: InputShape;
  private table: ClasswiseBins;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes, an unknown kind, less than one bin or an unknown convention */
  constructor({
    bins = DEFAULT_BINS,
    convention = DEFAULT_CONVENTION,
    ...input
  }: InputSettings & BinSettings) {
    this.shape = new InputShape(input);
    this.table = new ClasswiseBins({ classes: this.shape.classes, bins, convention });
  }

  get n(): number {
    return this.table.n;
  }

  add(batch: LabelledBatch): void {
    this.shape.visit(batch, (score, label) => this.addRow(score, label));
  }

  /** One sample that is scored already. */
  addRow(score: ScoredRow, label: number): void {
    this.table.add(score, label);
  }

  /** As `addRow`, for rows that another accumulator sees too; `shareProbabilities` brings what it has of them. */
  addOutcome(score: ScoredRow, label: number): void {
    this.table.addOutcome(score, label);
  }

  /** Takes over the probabilities of one that saw the same rows with other labels. */
  shareProbabilities(other: ClasswiseAccumulator): void {
    this.table.shareProbabilities(other.table);
  }

  merge(other: ClasswiseAccumulator): void {
    this.shape.assertSame(other.shape);
    this.table.merge(other.table);
  }

  toJSON(): ClasswiseState {
    return { ...this.shape.settings(), bins: this.table.toJSON() };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: ClasswiseState): ClasswiseAccumulator {
    const { bins, convention } = state.bins;
    const restored = new ClasswiseAccumulator({ classes: state.classes, kind: state.kind, bins, convention });
    restored.table = ClasswiseBins.fromJSON(state.bins);
    return restored;
  }

  result(): ClasswiseResult {
    const { n } = this.table;
    assertNotEmpty(n);
    let gaps = 0;
    let reliability = 0;
    let resolution = 0;
    let uncertainty = 0;
    for (let column = 0; column < this.shape.classes; column++) {
      const bins = this.table.ofClass(column);
      const rate = bins.reduce((sum, { outcomes }) => sum + outcomes, 0) / n;
      uncertainty += rate * (1 - rate);
      for (const { count, outcomes, probability } of bins) {
        if (count === 0) continue;
        gaps += Math.abs(outcomes - probability);
        reliability += (outcomes - probability) ** 2 / count / n;
        resolution += (count / n) * (outcomes / count - rate) ** 2;
      }
    }
    return {
      classwiseEce: gaps / n / this.shape.classes,
      murphy: { reliability, resolution, uncertainty },
    };
  }
}
