import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { differentiable, runKernel, runKernels, tensorAt } from './differentiable.js';
import type { ForwardPass } from './model.js';

/** Added to every variance: PyTorch's default. */
const EPSILON = 1e-5;
/** Part of a batch's statistics in the running ones: PyTorch's default. */
const MOMENTUM = 0.1;

export interface BatchNormalisation {
  /** [C] */
  readonly scale: Tensor1D;
  readonly offset: Tensor1D;
  /** Running statistics, [C]. */
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
  readonly mode: ForwardPass['mode'];
}

export interface BatchNormalised {
  /** [N, H, W, C] */
  readonly value: Tensor4D;
  /** The running statistics afterwards; in eval mode the given ones. */
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
}

/**
 * Batch normalisation as PyTorch has it. In train mode by the batch's mean and (population) variance, and the running statistics move by
 * 0.1 to the batch's, of which the variance has Bessel's correction; in eval mode by the running statistics.
 *
 * @param x [N, H, W, C]
 */
export function batchNormalise(x: Tensor4D, normalisation: BatchNormalisation): BatchNormalised {
  const { scale, offset, mean, variance, mode } = normalisation;
  const inputs = { x, scale, offset, mean, variance };
  if (mode === 'eval') {
    const y = runKernel('FusedBatchNormInference', inputs, { epsilon: EPSILON });
    const value = normalised(y, [x, scale, offset], [mean, variance, mean], false);
    return { value, mean, variance };
  }
  // Outside of the differentiable part, so that the moved statistics live as long as the caller's other tensors.
  const outputs = runKernels('FusedBatchNormTraining', inputs, { epsilon: EPSILON, momentum: MOMENTUM });
  return {
    value: normalised(tensorAt(outputs, 0), [x, scale, offset], outputs.slice(3), true),
    mean: tensorAt(outputs, 1) as Tensor1D,
    variance: tensorAt(outputs, 2) as Tensor1D,
  };
}

/** @param reserved what the gradient's kernel wants of the statistics */
function normalised(
  y: Tensor,
  operands: readonly [x: Tensor4D, scale: Tensor1D, offset: Tensor1D],
  reserved: readonly Tensor[],
  training: boolean,
): Tensor4D {
  const [x, scale] = operands;
  return differentiable(operands, () => ({
    // Another name for the same values: the kernel that made them is not differentiated itself.
    value: tf.clone(y),
    saved: [x, scale, ...reserved],
    gradient: (dy, saved) => {
      const names = ['x', 'scale', 'reserve1', 'reserve2', 'reserve3'];
      const inputs = Object.fromEntries(names.map((name, index) => [name, tensorAt(saved, index)]));
      return runKernels('FusedBatchNormGradV3', { dy, ...inputs }, { epsilon: EPSILON, training });
    },
  })) as Tensor4D;
}

/** All axes of an image. */
const IMAGE_AXES = [1, 2, 3];
const ALL_BUT_CHANNELS = [0, 1, 2];

/**
 * Each image by its own mean and variance over all its values, then scale and offset by channel: PyTorch's `GroupNorm(1, C)`.
 *
 * With x̂ = (x − μ)/σ and g = dy · scale, dx = (g − mean(g) − x̂ · mean(g · x̂)) / σ, means over the image.
 *
 * @param x [N, H, W, C]
 * @param scale [C]
 * @param offset [C]
 */
export function layerNormalise(x: Tensor4D, scale: Tensor1D, offset: Tensor1D): Tensor4D {
  return differentiable([x, scale, offset], () => {
    const mean = tf.mean(x, IMAGE_AXES, true);
    const variance = tf.mean(tf.squaredDifference(x, mean), IMAGE_AXES, true);
    const inverse = tf.rsqrt(tf.add(variance, tf.scalar(EPSILON)));
    const standardised = tf.mul(tf.sub(x, mean), inverse);
    return {
      value: tf.add(tf.mul(standardised, scale), offset),
      saved: [standardised, inverse, scale],
      gradient: (dy, saved) => {
        const xHat = tensorAt(saved, 0);
        const inverseDeviation = tensorAt(saved, 1);
        const factor = tensorAt(saved, 2);
        const aligned = tf.mul(dy, xHat);
        const g = tf.mul(dy, factor);
        const along = tf.mean(tf.mul(aligned, factor), IMAGE_AXES, true);
        const centred = tf.sub(tf.sub(g, tf.mean(g, IMAGE_AXES, true)), tf.mul(xHat, along));
        return [
          tf.mul(centred, inverseDeviation),
          tf.sum(aligned, ALL_BUT_CHANNELS),
          runKernel('BiasAddGrad', { dy }),
        ];
      },
    };
  }) as Tensor4D;
}
