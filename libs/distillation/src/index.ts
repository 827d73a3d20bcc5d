export { decodeCheckpoint, encodeCheckpoint, type Checkpoint, type CheckpointOptions } from './checkpoint.js';
export { interpolateWeights, refreshStatistics, rescaledLearningRate } from './initialisation.js';
export { learningRate, type TrainingLength } from './learning-rate.js';
export { codecError, type CodecErrorSums } from './codec-error.js';
export { kdLoss, lossNeeds, nllLoss, trainingLoss, type Targets, type TrainingLoss } from './losses.js';
export { lossScalars } from './loss-warm-up.js';
export { predict, predictionBatchRows, Predictor } from './predict.js';
export { SequenceTargets, type SequenceTargetsOptions } from './sequence-targets.js';
export { optimizerScalars, optimizerStep, slotCount, type OptimizerState } from './optimizer.js';
export { type StreamLayout } from './stream-layout.js';
export { TableTargets } from './table-targets.js';
export { type TargetProvider } from './target-provider.js';
export { train, type EpochInfo, type StepInfo, type TrainingOutcome, type TrainOptions } from './train.js';
export { initialState, startingState, type TrainingState } from './training-state.js';
export { createTrainingStep } from './training-step.js';
export {
  EAGER,
  tensorNamed,
  type FunctionCompiler,
  type NamedTensors,
  type RunnableFunction,
  type TensorFunction,
} from './tensor-function.js';
