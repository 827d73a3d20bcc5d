import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { differentiable, runKernel, tensorAt } from './differentiable.js';

/**
 * The layers' operations, each with its own gradient: TensorFlow's gradient kernels, not compositions of many small operations
 * (at 11–13 µs for each one's dispatch). `startBackend` of @fidelis/compute registers the kernels that
 * TensorFlow.js has no operation for: BiasAdd, BiasAddGrad, ReluGrad. The package tfjs-core registers no gradients by itself, so
 * what a model calls must come from here.
 */

export type Padding = 'same' | 'valid';

/**
 * Convolution at stride 1.
 *
 * @param x [N, H, W, C]
 * @param filter [h, w, C, K]
 * @param needsInputGradient false for the first layer: nobody asks for the gradient with respect to the images
 * @returns [N, H', W', K]
 */
export function convolve(
  x: Tensor4D,
  filter: Tensor4D,
  padding: Padding,
  needsInputGradient = true,
): Tensor4D {
  const attributes = { strides: 1, pad: padding, dataFormat: 'NHWC' };
  const filterGradient = (images: Tensor, dy: Tensor): Tensor =>
    runKernel('Conv2DBackpropFilter', { x: images, dy }, { ...attributes, filterShape: filter.shape });
  const inputGradient = (weights: Tensor, dy: Tensor): Tensor =>
    runKernel('Conv2DBackpropInput', { dy, filter: weights }, { ...attributes, inputShape: x.shape });
  const value = (): Tensor => tf.conv2d(x, filter, 1, padding);
  const result = needsInputGradient
    ? differentiable([x, filter], () => ({
        value: value(),
        saved: [x, filter],
        gradient: (dy, saved) => [
          inputGradient(tensorAt(saved, 1), dy),
          filterGradient(tensorAt(saved, 0), dy),
        ],
      }))
    : differentiable([filter], () => ({
        value: value(),
        saved: [],
        gradient: (dy) => [filterGradient(x, dy)],
      }));
  return result as Tensor4D;
}

/**
 * @param value [..., C]
 * @param bias [C]
 */
export function addBias<T extends Tensor>(value: T, bias: Tensor1D): T {
  return differentiable([value, bias], () => ({
    value: runKernel('BiasAdd', { value, bias }),
    saved: [],
    gradient: (dy) => [dy, runKernel('BiasAddGrad', { dy })],
  })) as T;
}

export function relu<T extends Tensor>(x: T): T {
  return differentiable([x], () => {
    const y = tf.relu(x);
    return {
      value: y,
      saved: [y],
      gradient: (dy, saved) => [runKernel('ReluGrad', { dy, y: tensorAt(saved, 0) })],
    };
  }) as T;
}

/** Largest of each 2×2 block: [N, H, W, C] → [N, ⌊H/2⌋, ⌊W/2⌋, C]. */
export function maxPool(x: Tensor4D): Tensor4D {
  const attributes = { filterSize: 2, strides: 2, pad: 'valid' };
  return differentiable([x], () => {
    const y = tf.maxPool(x, 2, 2, 'valid');
    return {
      value: y,
      saved: [x, y],
      gradient: (dy, saved) => [
        runKernel('MaxPoolGrad', { dy, input: tensorAt(saved, 0), output: tensorAt(saved, 1) }, attributes),
      ],
    };
  }) as Tensor4D;
}

/**
 * [N, I] · [I, O] → [N, O].
 *
 * @param needsInputGradient as of `convolve`
 */
export function multiply(x: Tensor2D, weights: Tensor2D, needsInputGradient = true): Tensor2D {
  const result = needsInputGradient
    ? differentiable([x, weights], () => ({
        value: tf.matMul(x, weights),
        saved: [x, weights],
        gradient: (dy, saved) => [
          tf.matMul(dy, tensorAt(saved, 1), false, true),
          tf.matMul(tensorAt(saved, 0), dy, true, false),
        ],
      }))
    : differentiable([weights], () => ({
        value: tf.matMul(x, weights),
        saved: [x],
        gradient: (dy, saved) => [tf.matMul(tensorAt(saved, 0), dy, true, false)],
      }));
  return result as Tensor2D;
}

/** [N, ...] → [N, the rest as one axis]. */
export function flatten(x: Tensor): Tensor2D {
  const columns = x.shape.slice(1).reduce((product, length) => product * length, 1);
  return differentiable([x], () => ({
    value: tf.reshape(x, [-1, columns]),
    saved: [],
    gradient: (dy) => [tf.reshape(dy, x.shape)],
  })) as Tensor2D;
}
