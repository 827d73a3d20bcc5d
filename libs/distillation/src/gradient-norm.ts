import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';

/** As in PyTorch's `clip_grad_norm_`: keeps the factor finite for a gradient of zero. */
const EPSILON = 1e-6;

/** L2 norm of the whole gradient. */
export function gradientNorm(gradient: Tensor1D): Scalar {
  return tf.sqrt(tf.sum(tf.square(gradient)));
}

/** gradient · min(1, clipNorm / (norm + 1e-6)): PyTorch's `clip_grad_norm_`. */
export function clipped(gradient: Tensor1D, norm: Scalar, clipNorm: number): Tensor1D {
  const factor = tf.minimum(tf.div(clipNorm, tf.add(norm, EPSILON)), 1);
  return tf.mul(gradient, factor);
}
