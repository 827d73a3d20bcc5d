import { assertCount, assertSameSettings, refuse } from './accumulator.js';
import { BIN_CONVENTIONS, binCount, binEdges, binIndex, type BinConvention } from './bin-edges.js';
import { expectedCalibrationError, type BinTotals } from './calibration-error.js';
import { CompensatedSum, type CompensatedSumState } from './compensated-sum.js';

export interface CalibrationSettings {
  /** Equal-width bins over [0, 1]. */
  readonly bins: number;
  readonly convention: BinConvention;
}

/** One bar of a reliability diagram. */
export interface ReliabilityBin {
  readonly lower: number;
  /** Equal to `lower` in the bin that `torchmetrics` has for a confidence of exactly 1. */
  readonly upper: number;
  readonly count: number;
  /** Share of right predictions; null in an empty bin. */
  readonly accuracy: number | null;
  /** Mean confidence; null in an empty bin. */
  readonly confidence: number | null;
}

export interface ReliabilityState extends CalibrationSettings {
  readonly count: readonly number[];
  readonly correct: readonly number[];
  readonly confidence: readonly CompensatedSumState[];
}

/** Counts of top-1 confidence and correctness by bin: what the expected calibration error and its diagram are made of. */
export class ReliabilityBins implements CalibrationSettings {
  readonly bins: number;
  readonly convention: BinConvention;
  private readonly edges: Float32Array;
  private readonly count: number[];
  private readonly correct: number[];
  private confidence: CompensatedSum[];

  /** @throws FidelisError REQUEST.INVALID for less than one bin or an unknown convention */
  constructor({ bins, convention }: CalibrationSettings) {
    assertCount('bins', bins, 1);
    if (!BIN_CONVENTIONS.includes(convention)) {
      refuse(`convention: "${String(convention)}" is unknown: use ${BIN_CONVENTIONS.join(' or ')}`, {
        field: 'convention',
      });
    }
    this.bins = bins;
    this.convention = convention;
    this.edges = binEdges(bins);
    const total = binCount(bins, convention);
    this.count = new Array<number>(total).fill(0);
    this.correct = new Array<number>(total).fill(0);
    this.confidence = Array.from({ length: total }, () => new CompensatedSum());
  }

  /**
   * @param confidence above 0 and at most 1. Its float32 rounding decides the bin, see `binIndex`; the sums are of the float64 value.
   */
  add(confidence: number, correct: boolean): void {
    const index = binIndex(this.edges, confidence, this.convention);
    this.count[index] = (this.count[index] ?? 0) + 1;
    if (correct) this.correct[index] = (this.correct[index] ?? 0) + 1;
    this.confidence[index]?.add(confidence);
  }

  merge(other: ReliabilityBins): void {
    const { bins, convention } = other;
    assertSameSettings<CalibrationSettings>(
      { bins: this.bins, convention: this.convention },
      { bins, convention },
    );
    other.count.forEach((count, index) => {
      this.count[index] = (this.count[index] ?? 0) + count;
      this.correct[index] = (this.correct[index] ?? 0) + (other.correct[index] ?? 0);
    });
    other.confidence.forEach((sum, index) => this.confidence[index]?.merge(sum));
  }

  /** Sums by bin, by rising confidence. */
  totals(): BinTotals {
    return {
      count: [...this.count],
      correct: [...this.correct],
      confidence: this.confidence.map((sum) => sum.value),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if no row was added */
  expectedCalibrationError(): number {
    return expectedCalibrationError(this.totals());
  }

  diagram(): ReliabilityBin[] {
    return this.count.map((count, index): ReliabilityBin => {
      const sum = this.confidence[index]?.value ?? 0;
      return {
        lower: this.edges[index] ?? 1,
        upper: this.edges[index + 1] ?? 1,
        count,
        accuracy: count === 0 ? null : (this.correct[index] ?? 0) / count,
        confidence: count === 0 ? null : sum / count,
      };
    });
  }

  toJSON(): ReliabilityState {
    return {
      bins: this.bins,
      convention: this.convention,
      count: [...this.count],
      correct: [...this.correct],
      confidence: this.confidence.map((sum) => sum.toJSON()),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: ReliabilityState): ReliabilityBins {
    const restored = new ReliabilityBins(state);
    const expected = binCount(state.bins, state.convention);
    for (const values of [state.count, state.correct, state.confidence]) {
      if (values.length !== expected)
        refuse(`the saved bins are damaged: ${values.length} where ${expected} belong`);
    }
    state.count.forEach((count, index) => {
      assertCount('count', count, 0);
      restored.count[index] = count;
    });
    state.correct.forEach((correct, index) => {
      assertCount('correct', correct, 0);
      restored.correct[index] = correct;
    });
    restored.confidence = state.confidence.map((sum) => CompensatedSum.fromJSON(sum));
    return restored;
  }
}
