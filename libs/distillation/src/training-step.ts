import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { OptimizerSpec } from '@fidelis/contracts';
import { unflatten, unflattenBuffers, type Model } from '@fidelis/models';
import { clipped, gradientNorm } from './gradient-norm.js';
import { trainingLoss, type Targets, type TrainingLoss } from './losses.js';
import { optimizerStep, slotCount } from './optimizer.js';
import { tensorNamed, type NamedTensors, type TensorFunction } from './tensor-function.js';

/** Name of the tensor of a slot of the optimiser's state. */
export function slotName(index: number): string {
  return `slot${index}`;
}

/**
 * The step that trains `model`: gradient of the loss with respect to the flat buffer, its norm clipped, then the optimiser.
 *
 * Takes parameters, buffers (of a model that has any), slot0…, inputs, labels and teacherLogits (as the loss needs them), and
 * `optimizerScalars` and `lossScalars`; gives the new parameters, buffers, slots, and of the batch before the update loss and gradientNorm (before clipping).
 */
export function createTrainingStep(
  model: Model,
  loss: TrainingLoss,
  optimizer: OptimizerSpec,
): TensorFunction {
  const slots = Array.from({ length: slotCount(optimizer) }, (_, index) => slotName(index));
  return (given) =>
    tf.tidy((): NamedTensors & tf.TensorContainerObject => {
      const { gradient, value, buffers } = differentiated(model, loss, given);
      const norm = gradientNorm(gradient);
      const { clipNorm } = optimizer;
      const next = optimizerStep(
        optimizer,
        {
          parameters: tensorNamed(given, 'parameters'),
          slots: slots.map((name) => tensorNamed<Tensor1D>(given, name)),
        },
        clipNorm === undefined ? gradient : clipped(gradient, norm, clipNorm),
        given,
      );
      return {
        parameters: next.parameters,
        ...Object.fromEntries(next.slots.map((slot, index) => [slotName(index), slot])),
        ...(buffers === undefined ? {} : { buffers }),
        loss: value,
        gradientNorm: norm,
      };
    });
}

interface Differentiated {
  /** Flat, [parameterCount]. */
  readonly gradient: Tensor1D;
  readonly value: Scalar;
  /** Flat, after the batch; absent for a model without any. */
  readonly buffers: Tensor1D | undefined;
}

/** Within a scope of the caller's. */
function differentiated(model: Model, loss: TrainingLoss, given: NamedTensors): Differentiated {
  const inputs = tensorNamed(given, 'inputs');
  const buffers = model.bufferCount === 0 ? [] : unflattenBuffers(model, tensorNamed(given, 'buffers'));
  // A differentiated function gives back its value alone: what it makes beside that lives on if it is kept, and belongs to no scope then.
  const kept: Tensor1D[] = [];
  try {
    const { value, grads } = tf.valueAndGrads((...parameters: Tensor[]) => {
      const forward = model.forward({ parameters, buffers, mode: 'train' }, inputs);
      if (model.bufferCount > 0) kept.push(tf.keep(flat(forward.buffers)));
      return trainingLoss(loss, forward.logits, targetsOf(given));
    })(unflatten(model, tensorNamed(given, 'parameters')));
    return { value, gradient: flat(grads), buffers: kept[0]?.clone() };
  } finally {
    tf.dispose(kept);
  }
}

function flat(tensors: readonly Tensor[]): Tensor1D {
  return tf.concat(tensors.map((tensor) => tf.reshape<tf.Rank.R1>(tensor, [-1])));
}

function targetsOf({ labels, teacherLogits, teacherWeight }: NamedTensors): Targets {
  return {
    ...(labels === undefined ? {} : { labels: labels as Tensor2D }),
    ...(teacherLogits === undefined ? {} : { teacherLogits: teacherLogits as Tensor2D }),
    ...(teacherWeight === undefined ? {} : { teacherWeight: teacherWeight as Scalar }),
  };
}
