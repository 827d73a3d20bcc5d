import { equalMassCalibrationError } from './equal-mass.js';
import { ReliabilityBins, type CalibrationSettings, type ReliabilityState } from './reliability.js';
import type { ScoredRow } from './scored-row.js';
import { smoothCalibrationError } from './smooth-ece.js';
import { ConfidenceColumns, type ConfidenceState } from './sorted-confidences.js';
import { TemperatureSearch, type TemperatureState } from './temperature-search.js';

export interface FullPassModel {
  readonly eceEqualMass: number;
  readonly smoothEce: number;
  /** Width that smoothEce was found at. */
  readonly smoothEceBandwidth: number;
  /** Optimal temperature by NLL; absent while passes are missing, and where a label has probability 0. */
  readonly temperature?: number;
  /** Mean NLL at that temperature, nats. */
  readonly nllAfter?: number;
  /** ECE at that temperature, with the same bins and convention as `ece`. */
  readonly eceAfter?: number;
}

export interface ModelPassState {
  readonly confidences: ConfidenceState;
  readonly search: TemperatureState;
  readonly after: ReliabilityState;
}

/** One model's part of a full pass. */
export class ModelPass {
  private confidences = new ConfidenceColumns();
  private search = new TemperatureSearch();
  private after: ReliabilityBins;

  constructor(
    private readonly settings: CalibrationSettings,
    private readonly searches: boolean,
  ) {
    this.after = new ReliabilityBins(settings);
  }

  add(score: ScoredRow, label: number, first: boolean): void {
    const correct = score.predicted === label;
    if (first) this.confidences.add(score.confidence, correct);
    if (!this.searches || this.search.finished) return;
    const confidence = this.search.add(score, label);
    if (this.search.inLastPass) this.after.add(confidence, correct);
  }

  endPass(): boolean {
    if (!this.searches) return false;
    if (!this.search.finished) this.search.endPass();
    return !this.search.finished;
  }

  /** @param first whether this is the first pass: later ones have the same confidences on both sides */
  merge(other: ModelPass, first: boolean): void {
    if (first) this.confidences.merge(other.confidences);
    this.search.merge(other.search);
    this.after.merge(other.after);
  }

  /** @throws FidelisError REQUEST.INVALID unless both are in the same pass */
  assertMergeable(other: ModelPass | undefined): void {
    if (other !== undefined) this.search.assertSamePass(other.search);
  }

  toJSON(): ModelPassState {
    return {
      confidences: this.confidences.toJSON(),
      search: this.search.toJSON(),
      after: this.after.toJSON(),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  restore(state: ModelPassState): void {
    this.confidences = ConfidenceColumns.fromJSON(state.confidences);
    this.search = TemperatureSearch.fromJSON(state.search);
    this.after = ReliabilityBins.fromJSON(state.after);
  }

  result(): FullPassModel {
    const samples = this.confidences.sorted();
    const { smoothEce, bandwidth } = smoothCalibrationError(samples);
    const found = this.search.result;
    return {
      eceEqualMass: equalMassCalibrationError(samples, this.settings.bins),
      smoothEce,
      smoothEceBandwidth: bandwidth,
      ...(found === undefined ? {} : { ...found, eceAfter: this.after.expectedCalibrationError() }),
    };
  }
}
