import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { OptimizerSpec } from '@fidelis/contracts';
import { unflatten, type Model } from '@fidelis/models';
import { trainingLoss, type Targets, type TrainingLoss } from './losses.js';
import { sgdStep, type OptimizerState } from './sgd.js';

export interface StepInputs extends OptimizerState {
  /** [rows, height, width, channels] */
  readonly inputs: Tensor;
  readonly targets: Targets;
  readonly rate: Scalar;
}

export interface StepOutputs extends OptimizerState {
  /** Of the batch, before the update. */
  readonly loss: Scalar;
}

/** A pure function of its tensors. It disposes none of them; what it returns is the caller's. */
export type TrainingStep = (inputs: StepInputs) => StepOutputs;

/** The step that trains `model`: gradient of the loss with respect to the flat buffer, then the optimiser. */
export function createTrainingStep(
  model: Model,
  loss: TrainingLoss,
  optimizer: Pick<OptimizerSpec, 'momentum' | 'nesterov' | 'weightDecay'>,
): TrainingStep {
  return ({ inputs, targets, rate, ...state }) => {
    const [parameters, velocity, value] = tf.tidy((): [Tensor1D, Tensor1D, Scalar] => {
      const differentiate = tf.valueAndGrads((...pieces: Tensor[]) =>
        trainingLoss(
          loss,
          model.forward({ parameters: pieces, buffers: [], mode: 'train' }, inputs).logits,
          targets,
        ),
      );
      const { value, grads } = differentiate(unflatten(model, state.parameters));
      const gradient = tf.concat(grads.map((piece) => tf.reshape<tf.Rank.R1>(piece, [-1])));
      const next = sgdStep(state, gradient, rate, optimizer);
      return [next.parameters, next.velocity, value];
    });
    return { parameters, velocity, loss: value };
  };
}
