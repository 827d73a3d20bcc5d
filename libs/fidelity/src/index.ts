export { type Accumulator } from './accumulator.js';
export {
  AgreementAccumulator,
  type AgreementResult,
  type AgreementSettings,
  type AgreementState,
  type ClassAgreement,
} from './agreement-accumulator.js';
export {
  type CohortBatch,
  type InputSettings,
  type LabelledBatch,
  type PairBatch,
  type VisitPair,
} from './batch.js';
export { BIN_CONVENTIONS, binCount, binEdges, binIndex, type BinConvention } from './bin-edges.js';
export {
  debiasedExpectedCalibrationError,
  debiasedRootMeanSquareCalibrationError,
  expectedCalibrationError,
  maximumCalibrationError,
  nullExpectedCalibrationError,
  rootMeanSquareCalibrationError,
  type BinTotals,
} from './calibration-error.js';
export {
  ClasswiseAccumulator,
  type ClasswiseResult,
  type ClasswiseState,
  type MurphyDecomposition,
} from './classwise-accumulator.js';
export { CohortPass, type RowTaker } from './cohort-pass.js';
export { cohenKappa, type Disagreement } from './disagreement.js';
export {
  DivergenceAccumulator,
  type DivergenceResult,
  type DivergenceState,
} from './divergence-accumulator.js';
export { type Divergences } from './divergences.js';
export {
  EvaluationEngine,
  type EngineFidelity,
  type EngineModel,
  type EngineResult,
  type EngineSettings,
  type EngineState,
  type FidelityCalibration,
  type ReliabilityTotals,
} from './evaluation-engine.js';
export { INPUT_KINDS, SUM_EXACT, SUM_TOLERANCE, assertRows, type InputKind, type Rows } from './input.js';
export { assertLabels, type Labels, type Logits } from './logits.js';
export {
  ModelAccumulator,
  type ModelResult,
  type ModelSettings,
  type ModelState,
  type NamedEce,
} from './model-accumulator.js';
export {
  DEFAULT_BINS,
  DEFAULT_CONVENTION,
  ReliabilityAccumulator,
  type BinSettings,
  type ReliabilityAccumulatorState,
  type ReliabilityResult,
} from './reliability-accumulator.js';
export { type CalibrationSettings, type ReliabilityBin, type ReliabilityState } from './reliability.js';
export { type ScoredRow } from './scored-row.js';
export {
  ScoreAccumulator,
  type ScoreResult,
  type ScoreSettings,
  type ScoreState,
} from './score-accumulator.js';
export { equalMassCalibrationError, equalMassTotals } from './equal-mass.js';
export {
  FullPass,
  runFullPass,
  type FullPassResult,
  type FullPassSettings,
  type FullPassState,
} from './full-pass.js';
export {
  GnosisCompat,
  type GnosisBatch,
  type GnosisCompatResult,
  type GnosisCompatState,
} from './gnosis-compat.js';
export { type FullPassModel } from './model-pass.js';
export { PerSample, type PerSampleState, type SampleStatistics } from './per-sample.js';
export { rankCorrelation } from './rank-correlation.js';
export { smoothCalibrationError, type SmoothCalibration } from './smooth-ece.js';
export { ConfidenceColumns, type SortedConfidences } from './sorted-confidences.js';
export { TemperatureSearch, type TemperatureResult } from './temperature-search.js';
