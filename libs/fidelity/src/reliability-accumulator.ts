import type { Accumulator } from './accumulator.js';
import { InputShape, type InputSettings, type LabelledBatch } from './batch.js';
import type { BinConvention } from './bin-edges.js';
import {
  debiasedExpectedCalibrationError,
  debiasedRootMeanSquareCalibrationError,
  expectedCalibrationError,
  maximumCalibrationError,
  nullExpectedCalibrationError,
  rootMeanSquareCalibrationError,
  type BinTotals,
} from './calibration-error.js';
import { ReliabilityBins, type ReliabilityBin, type ReliabilityState } from './reliability.js';

/** Defaults are TorchMetrics': 15 bins in its own convention. */
export interface BinSettings {
  /** @default 15 */
  readonly bins?: number;
  /** @default 'torchmetrics' */
  readonly convention?: BinConvention;
}

export const DEFAULT_BINS = 15;
export const DEFAULT_CONVENTION: BinConvention = 'torchmetrics';

/** Calibration of the top-1 confidence over equal-width bins; each formula is at its function in `calibration-error.ts`. */
export interface ReliabilityResult {
  readonly ece: number;
  readonly mce: number;
  readonly rmsce: number;
  readonly rmsceDebiased: number;
  readonly eceDebiased: number;
  readonly nullEce: number;
  /** Bars of the reliability diagram, by rising confidence. */
  readonly reliability: readonly ReliabilityBin[];
}

export interface ReliabilityAccumulatorState extends Required<InputSettings> {
  readonly reliability: ReliabilityState;
}

/** Calibration of one model's top-1 confidence. Memory O(bins). */
export class ReliabilityAccumulator implements Accumulator<
  LabelledBatch,
  ReliabilityAccumulatorState,
  ReliabilityResult
> {
  private readonly shape: InputShape;
  private bins: ReliabilityBins;
  private rows = 0;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes, an unknown kind, less than one bin or an unknown convention */
  constructor({
    bins = DEFAULT_BINS,
    convention = DEFAULT_CONVENTION,
    ...input
  }: InputSettings & BinSettings) {
    this.shape = new InputShape(input);
    this.bins = new ReliabilityBins({ bins, convention });
  }

  get n(): number {
    return this.rows;
  }

  add(batch: LabelledBatch): void {
    this.shape.visitTops(batch, (predicted, confidence, label) =>
      this.addRow(confidence, predicted === label),
    );
  }

  /** One sample: the confidence in the predicted class, and whether it is the right one. */
  addRow(confidence: number, correct: boolean): void {
    this.rows++;
    this.bins.add(confidence, correct);
  }

  merge(other: ReliabilityAccumulator): void {
    this.shape.assertSame(other.shape);
    this.bins.merge(other.bins);
    this.rows += other.rows;
  }

  /** Sums by bin, by rising confidence: what cumulative counters are made of. */
  totals(): BinTotals {
    return this.bins.totals();
  }

  toJSON(): ReliabilityAccumulatorState {
    return { ...this.shape.settings(), reliability: this.bins.toJSON() };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: ReliabilityAccumulatorState): ReliabilityAccumulator {
    const { bins, convention } = state.reliability;
    const restored = new ReliabilityAccumulator({ ...state, bins, convention });
    restored.bins = ReliabilityBins.fromJSON(state.reliability);
    restored.rows = state.reliability.count.reduce((sum, count) => sum + count, 0);
    return restored;
  }

  result(): ReliabilityResult {
    const totals = this.bins.totals();
    return {
      ece: expectedCalibrationError(totals),
      mce: maximumCalibrationError(totals),
      rmsce: rootMeanSquareCalibrationError(totals),
      rmsceDebiased: debiasedRootMeanSquareCalibrationError(totals),
      eceDebiased: debiasedExpectedCalibrationError(totals),
      nullEce: nullExpectedCalibrationError(totals),
      reliability: this.bins.diagram(),
    };
  }
}
