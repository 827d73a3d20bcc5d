export { type Accumulator } from './accumulator.js';
export { BIN_CONVENTIONS, type BinConvention } from './bin-edges.js';
export {
  EvaluationAccumulator,
  type EvaluationBatch,
  type EvaluationResult,
  type EvaluationState,
} from './evaluation-accumulator.js';
export {
  FidelityAccumulator,
  klDivergence,
  type FidelityBatch,
  type FidelityResult,
  type FidelityState,
} from './fidelity-accumulator.js';
export {
  GeneralisationAccumulator,
  type GeneralisationBatch,
  type GeneralisationResult,
  type GeneralisationSettings,
  type GeneralisationState,
} from './generalisation-accumulator.js';
export { type Labels, type Logits } from './logits.js';
export { type CalibrationSettings, type ReliabilityBin } from './reliability.js';
