import { initialise, type Model } from '@fidelis/models';

/** Where a training stands: everything that the next step depends on, besides spec and data. */
export interface TrainingState {
  /** Steps done; the next one's index. */
  readonly step: number;
  /** The flat buffer, [parameterCount]. */
  readonly parameters: Float32Array;
  /** Of the optimiser, [parameterCount]. */
  readonly velocity: Float32Array;
  /** Of the last step done; absent before the first. */
  readonly loss?: number;
}

/** Before the first step, with parameters from the seed. */
export function initialState(model: Model, seed: number): TrainingState {
  return { step: 0, parameters: initialise(model, seed), velocity: new Float32Array(model.parameterCount) };
}
