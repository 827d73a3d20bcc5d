import type { Accumulator } from './accumulator.js';
import { InputShape, type LabelledBatch } from './batch.js';
import { BIN_CONVENTIONS } from './bin-edges.js';
import type { BinTotals } from './calibration-error.js';
import { ClasswiseAccumulator, type ClasswiseResult, type ClasswiseState } from './classwise-accumulator.js';
import {
  ReliabilityAccumulator,
  type BinSettings,
  type ReliabilityAccumulatorState,
  type ReliabilityResult,
} from './reliability-accumulator.js';
import { ReliabilityBins, type CalibrationSettings, type ReliabilityState } from './reliability.js';
import type { ScoredRow } from './scored-row.js';
import {
  ScoreAccumulator,
  type ScoreResult,
  type ScoreSettings,
  type ScoreState,
} from './score-accumulator.js';

export type ModelSettings = ScoreSettings & BinSettings;

/** One ECE with everything that it depends on. */
export interface NamedEce extends CalibrationSettings {
  readonly ece: number;
}

/** Generalisation and calibration of one model. */
export interface ModelResult extends ScoreResult, ReliabilityResult, ClasswiseResult {
  /** ECE over 10 and 15 bins in both conventions. */
  readonly eceVariants: readonly NamedEce[];
}

export interface ModelState {
  readonly score: ScoreState;
  readonly reliability: ReliabilityAccumulatorState;
  readonly classwise: ClasswiseState;
  readonly variants: readonly ReliabilityState[];
}

const VARIANTS: readonly CalibrationSettings[] = BIN_CONVENTIONS.flatMap((convention) =>
  [10, 15].map((bins) => ({ bins, convention })),
);

/** All streaming metrics of one model against the labels. Memory O(bins × classes). */
export class ModelAccumulator implements Accumulator<LabelledBatch, ModelState, ModelResult> {
  private readonly shape: InputShape;
  private score: ScoreAccumulator;
  private reliability: ReliabilityAccumulator;
  private classwise: ClasswiseAccumulator;
  private variants: readonly ReliabilityBins[];

  /** @throws FidelisError REQUEST.INVALID for settings out of range */
  constructor(settings: ModelSettings) {
    this.shape = new InputShape(settings);
    this.score = new ScoreAccumulator(settings);
    this.reliability = new ReliabilityAccumulator(settings);
    this.classwise = new ClasswiseAccumulator(settings);
    this.variants = VARIANTS.map((variant) => new ReliabilityBins(variant));
  }

  get n(): number {
    return this.score.n;
  }

  add(batch: LabelledBatch): void {
    this.shape.visit(batch, (score, label) => this.addRow(score, label));
  }

  /** One sample that is scored already. */
  addRow(score: ScoredRow, label: number): void {
    const correct = score.predicted === label;
    this.score.addRow(score, label);
    this.reliability.addRow(score.confidence, correct);
    this.classwise.addRow(score, label);
    for (const variant of this.variants) variant.add(score.confidence, correct);
  }

  /** Gives what it has of the probabilities to an accumulator that saw the same rows with other labels. */
  shareProbabilities(other: ClasswiseAccumulator): void {
    other.shareProbabilities(this.classwise);
  }

  merge(other: ModelAccumulator): void {
    this.score.merge(other.score);
    this.reliability.merge(other.reliability);
    this.classwise.merge(other.classwise);
    this.variants.forEach((variant, index) => {
      const theirs = other.variants[index];
      if (theirs !== undefined) variant.merge(theirs);
    });
  }

  /** Sums by bin of the top-1 confidence, by rising confidence. */
  reliabilityTotals(): BinTotals {
    return this.reliability.totals();
  }

  toJSON(): ModelState {
    return {
      score: this.score.toJSON(),
      reliability: this.reliability.toJSON(),
      classwise: this.classwise.toJSON(),
      variants: this.variants.map((variant) => variant.toJSON()),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: ModelState): ModelAccumulator {
    const { bins, convention } = state.reliability.reliability;
    const restored = new ModelAccumulator({ ...state.score, bins, convention });
    restored.score = ScoreAccumulator.fromJSON(state.score);
    restored.reliability = ReliabilityAccumulator.fromJSON(state.reliability);
    restored.classwise = ClasswiseAccumulator.fromJSON(state.classwise);
    restored.variants = state.variants.map((variant) => ReliabilityBins.fromJSON(variant));
    return restored;
  }

  result(): ModelResult {
    return {
      ...this.score.result(),
      ...this.reliability.result(),
      ...this.classwise.result(),
      eceVariants: this.variants.map((variant): NamedEce => {
        const { bins, convention } = variant;
        return { bins, convention, ece: variant.expectedCalibrationError() };
      }),
    };
  }
}
