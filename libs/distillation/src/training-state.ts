import type { OptimizerSpec } from '@fidelis/contracts';
import { initialWeights, type Model, type ModelWeights } from '@fidelis/models';
import { slotCount } from './optimizer.js';

/** Where a training stands: everything that the next step depends on, besides spec and data. */
export interface TrainingState extends ModelWeights {
  /** Steps done; the next one's index. A batch is a function of it: it is the position in the view, too. */
  readonly step: number;
  /** What the optimiser remembers, `slotCount` times [parameterCount]. */
  readonly slots: readonly Float32Array[];
  /** Of the last step done; absent before the first. */
  readonly loss?: number;
}

/** Weights before any step, with an optimiser that remembers nothing. */
export function startingState(
  model: Model,
  { parameters, buffers }: ModelWeights,
  optimizer: Pick<OptimizerSpec, 'kind'>,
): TrainingState {
  return {
    step: 0,
    parameters,
    buffers,
    slots: Array.from({ length: slotCount(optimizer) }, () => new Float32Array(model.parameterCount)),
  };
}

/** Before the first step, with parameters from the seed. */
export function initialState(
  model: Model,
  seed: number,
  optimizer: Pick<OptimizerSpec, 'kind'> = { kind: 'sgd' },
): TrainingState {
  return startingState(model, initialWeights(model, seed), optimizer);
}
