import { assertNotEmpty, assertSameSettings, type Accumulator } from './accumulator.js';
import {
  AgreementAccumulator,
  assertLabelled,
  type AgreementResult,
  type AgreementSettings,
  type AgreementState,
} from './agreement-accumulator.js';
import { InputShape, type PairBatch, type VisitPair } from './batch.js';
import type { BinConvention } from './bin-edges.js';
import type { BinTotals } from './calibration-error.js';
import { ClasswiseAccumulator, type ClasswiseState } from './classwise-accumulator.js';
import {
  DivergenceAccumulator,
  type DivergenceResult,
  type DivergenceState,
} from './divergence-accumulator.js';
import type { InputKind } from './input.js';
import { ModelAccumulator, type ModelResult, type ModelState } from './model-accumulator.js';
import {
  DEFAULT_BINS,
  DEFAULT_CONVENTION,
  ReliabilityAccumulator,
  type BinSettings,
  type ReliabilityAccumulatorState,
  type ReliabilityResult,
} from './reliability-accumulator.js';

export type EngineSettings = AgreementSettings & BinSettings;

/**
 * Calibration of the student's probability of the teacher's class: every figure is that of the student with the teacher's class in
 * the place of the label, so it needs no labels.
 */
export type FidelityCalibration = ReliabilityResult & { readonly classwiseEce: number };

export interface EngineFidelity extends Omit<AgreementResult, 'topKAgreement'>, DivergenceResult {
  /** The top-k agreement; k is `topK`, 5 if not set otherwise. */
  readonly top5Agreement: number;
  readonly calibration: FidelityCalibration;
}

export type EngineModel = Omit<ModelResult, 'topKAccuracy' | 'topK'> & {
  /** The top-k accuracy; k is that of `fidelity.topK`. */
  readonly top5Accuracy: number;
};

/** What needs one pass. Infinite where a divergence or an NLL is: JSON has no word for that, see docs/metrics.md. */
export interface EngineResult {
  readonly n: number;
  readonly classes: number;
  readonly kind: InputKind;
  readonly bins: number;
  readonly convention: BinConvention;
  readonly fidelity: EngineFidelity;
  /** Absent without labels. */
  readonly teacher?: EngineModel;
  /** Absent without labels. */
  readonly student?: EngineModel;
}

/** Sums by bin of the top-1 confidence, by rising confidence: what `ece` and its relatives are made of, and what can be added up. */
export interface ReliabilityTotals {
  /** Of the student, with the teacher's class in the place of the label. */
  readonly fidelity: BinTotals;
  /** Absent without labels. */
  readonly teacher?: BinTotals;
  /** Absent without labels. */
  readonly student?: BinTotals;
}

export interface EngineState {
  readonly agreement: AgreementState;
  readonly divergence: DivergenceState;
  readonly calibration: { readonly top: ReliabilityAccumulatorState; readonly classwise: ClasswiseState };
  readonly teacher?: ModelState;
  readonly student?: ModelState;
}

/**
 * Every streaming metric of one teacher and one student on one set: each row is scored once for all families. Memory
 * O(bins × classes + classes²), never O(rows); the result does not depend on order, batches or merges (below 1e-12 relative).
 */
export class EvaluationEngine implements Accumulator<PairBatch, EngineState, EngineResult> {
  readonly settings: Required<EngineSettings>;
  private readonly shape: InputShape;
  private agreement: AgreementAccumulator;
  private divergence: DivergenceAccumulator;
  private calibration: ReliabilityAccumulator;
  private classCalibration: ClasswiseAccumulator;
  private models: { teacher: ModelAccumulator; student: ModelAccumulator } | undefined;

  /** @throws FidelisError REQUEST.INVALID for fewer than 2 classes, less than one bin, a topK below 1, an unknown kind or convention */
  constructor(settings: EngineSettings) {
    this.settings = {
      classes: settings.classes,
      kind: settings.kind ?? 'logits',
      labels: settings.labels,
      topK: settings.topK ?? 5,
      bins: settings.bins ?? DEFAULT_BINS,
      convention: settings.convention ?? DEFAULT_CONVENTION,
    };
    this.shape = new InputShape(this.settings);
    this.agreement = new AgreementAccumulator(this.settings);
    this.divergence = new DivergenceAccumulator(this.settings);
    this.calibration = new ReliabilityAccumulator(this.settings);
    this.classCalibration = new ClasswiseAccumulator(this.settings);
    this.models = settings.labels
      ? { teacher: new ModelAccumulator(this.settings), student: new ModelAccumulator(this.settings) }
      : undefined;
  }

  get n(): number {
    return this.divergence.n;
  }

  /**
   * @throws FidelisError REQUEST.INVALID, and nothing is added, if shapes differ, labels are missing, not wanted or out of range, or a
   *   value is not what `kind` says; it names row and column, counted from 0 within the batch
   */
  add(batch: PairBatch): void {
    assertLabelled(batch, this.settings.labels);
    this.shape.visitPairs(batch, this.addRow);
  }

  /** One sample that is scored already; the label counts only in an evaluation with labels. */
  readonly addRow: VisitPair = (teacher, student, label, divergences) => {
    this.agreement.addRow(teacher, student, label);
    this.divergence.addRow(divergences());
    this.calibration.addRow(student.confidence, student.predicted === teacher.predicted);
    if (this.models === undefined) {
      this.classCalibration.addRow(student, teacher.predicted);
      return;
    }
    // The student's probabilities are counted once for both kinds of outcome.
    this.classCalibration.addOutcome(student, teacher.predicted);
    this.models.teacher.addRow(teacher, label);
    this.models.student.addRow(student, label);
  };

  merge(other: EvaluationEngine): void {
    assertSameSettings(this.settings, other.settings);
    this.settle();
    other.settle();
    this.agreement.merge(other.agreement);
    this.divergence.merge(other.divergence);
    this.calibration.merge(other.calibration);
    this.classCalibration.merge(other.classCalibration);
    if (this.models !== undefined && other.models !== undefined) {
      this.models.teacher.merge(other.models.teacher);
      this.models.student.merge(other.models.student);
    }
  }

  reliabilityTotals(): ReliabilityTotals {
    const fidelity = this.calibration.totals();
    if (this.models === undefined) return { fidelity };
    const { teacher, student } = this.models;
    return { fidelity, teacher: teacher.reliabilityTotals(), student: student.reliabilityTotals() };
  }

  toJSON(): EngineState {
    this.settle();
    return {
      agreement: this.agreement.toJSON(),
      divergence: this.divergence.toJSON(),
      calibration: { top: this.calibration.toJSON(), classwise: this.classCalibration.toJSON() },
      ...(this.models === undefined
        ? {}
        : { teacher: this.models.teacher.toJSON(), student: this.models.student.toJSON() }),
    };
  }

  /** @throws FidelisError REQUEST.INVALID if the state is damaged */
  static fromJSON(state: EngineState): EvaluationEngine {
    const { bins, convention } = state.calibration.top.reliability;
    const restored = new EvaluationEngine({ ...state.agreement, bins, convention });
    restored.agreement = AgreementAccumulator.fromJSON(state.agreement);
    restored.divergence = DivergenceAccumulator.fromJSON(state.divergence);
    restored.calibration = ReliabilityAccumulator.fromJSON(state.calibration.top);
    restored.classCalibration = ClasswiseAccumulator.fromJSON(state.calibration.classwise);
    if (state.teacher !== undefined && state.student !== undefined) {
      restored.models = {
        teacher: ModelAccumulator.fromJSON(state.teacher),
        student: ModelAccumulator.fromJSON(state.student),
      };
    }
    return restored;
  }

  result(): EngineResult {
    assertNotEmpty(this.n);
    this.settle();
    const { classes, kind, bins, convention } = this.settings;
    const { topKAgreement, ...agreement } = this.agreement.result();
    const { classwiseEce } = this.classCalibration.result();
    return {
      n: this.n,
      classes,
      kind,
      bins,
      convention,
      fidelity: {
        ...agreement,
        top5Agreement: topKAgreement,
        ...this.divergence.result(),
        calibration: { ...this.calibration.result(), classwiseEce },
      },
      ...(this.models === undefined
        ? {}
        : { teacher: modelOf(this.models.teacher), student: modelOf(this.models.student) }),
    };
  }

  /** Completes the calibration of every class, where the student's own holds part of it. */
  private settle(): void {
    this.models?.student.shareProbabilities(this.classCalibration);
  }
}

function modelOf(model: ModelAccumulator): EngineModel {
  const { topKAccuracy, topK: _topK, ...figures } = model.result();
  return { ...figures, top5Accuracy: topKAccuracy };
}
