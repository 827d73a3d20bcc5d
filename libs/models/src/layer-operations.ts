import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { differentiable, runKernel, tensorAt } from './differentiable.js';

/**
 * The layers' operations, each with its own gradient: TensorFlow's gradient kernels, not compositions of many small operations
 * (at 11–13 µs for each one's dispatch). `startBackend` of @fidelis/compute registers the kernels that
 * TensorFlow.js has no operation for: BiasAdd, BiasAddGrad, ReluGrad. The package tfjs-core registers no gradients by itself, so
 * what a model calls must come from here.
 */

export interface ConvolutionGeometry {
  /** @default 1 */
  readonly stride?: number;
  /** Zeros on each side of both axes, as PyTorch counts them. @default 0 */
  readonly padding?: number;
  /** False for the first layer: nobody asks for the gradient with respect to the images. @default true */
  readonly needsInputGradient?: boolean;
}

/**
 * Convolution.
 *
 * @param x [N, H, W, C]
 * @param filter [h, w, C, K]
 * @returns [N, ⌊(H + 2 · padding − h) / stride⌋ + 1, …, K]
 */
export function convolve(x: Tensor4D, filter: Tensor4D, geometry: ConvolutionGeometry = {}): Tensor4D {
  const { needsInputGradient = true } = geometry;
  const { value, filterGradient, inputGradient } = convolutionOf(x.shape, filter.shape, geometry);
  const result = needsInputGradient
    ? differentiable([x, filter], () => ({
        value: value(x, filter),
        saved: [x, filter],
        gradient: (dy, saved) => [
          inputGradient(tensorAt(saved, 1), dy),
          filterGradient(tensorAt(saved, 0), dy),
        ],
      }))
    : differentiable([filter], () => ({
        value: value(x, filter),
        saved: [],
        gradient: (dy) => [filterGradient(x, dy)],
      }));
  return result as Tensor4D;
}

interface Convolution {
  readonly value: (x: Tensor4D, filter: Tensor4D) => Tensor;
  readonly filterGradient: (x: Tensor, dy: Tensor) => Tensor;
  readonly inputGradient: (filter: Tensor, dy: Tensor) => Tensor;
}

/** TensorFlow has names for the two usual paddings at stride 1, and faster kernels for them; others are written out. */
function convolutionOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  { stride = 1, padding = 0 }: ConvolutionGeometry,
): Convolution {
  const [height = 0, width = 0] = filterShape;
  const same = height === width && height === 2 * padding + 1;
  if (stride === 1 && (same || padding === 0)) {
    const pad = padding === 0 ? 'valid' : 'same';
    const attributes = { strides: 1, pad, dataFormat: 'NHWC' };
    return {
      value: (x, filter) => tf.conv2d(x, filter, 1, pad),
      filterGradient: (x, dy) =>
        runKernel('Conv2DBackpropFilter', { x, dy }, { ...attributes, filterShape: [...filterShape] }),
      inputGradient: (filter, dy) =>
        runKernel('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape: [...inputShape] }),
    };
  }
  const attributes = { strides: stride, padding };
  const sides: [number, number] = [padding, padding];
  return {
    value: (x, filter) =>
      tf.conv2d(x, filter, stride, padding === 0 ? 'valid' : [[0, 0], sides, sides, [0, 0]]),
    filterGradient: (x, dy) =>
      runKernel('PaddedConv2DBackpropFilter', { x, dy }, { ...attributes, filterShape: [...filterShape] }),
    inputGradient: (filter, dy) =>
      runKernel('PaddedConv2DBackpropInput', { dy, filter }, { ...attributes, inputShape: [...inputShape] }),
  };
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
 * Largest of each 3×3 block at stride 2, with one pixel of −∞ on each side: PyTorch's MaxPool2d(3, 2, padding=1).
 *
 * @returns [N, ⌊(H − 1) / 2⌋ + 1, …, C]
 */
export function paddedMaxPool(x: Tensor4D): Tensor4D {
  const attributes = { filterSize: 3, strides: 2, pad: 'valid' };
  const sides: [number, number] = [1, 1];
  const origin = [0, 1, 1, 0];
  return differentiable([x], () => {
    const padded: Tensor4D = tf.pad(x, [[0, 0], sides, sides, [0, 0]], -Infinity);
    const y = tf.maxPool(padded, 3, 2, 'valid');
    return {
      value: y,
      saved: [padded, y],
      gradient: (dy, saved) => [
        tf.slice(
          runKernel('MaxPoolGrad', { dy, input: tensorAt(saved, 0), output: tensorAt(saved, 1) }, attributes),
          origin,
          x.shape,
        ),
      ],
    };
  }) as Tensor4D;
}

/** Mean over each image: [N, H, W, C] → [N, C]. */
export function globalMean(x: Tensor4D): Tensor2D {
  const [, height, width, channels] = x.shape;
  return differentiable([x], () => ({
    value: tf.mean(x, [1, 2]),
    saved: [],
    gradient: (dy) => {
      const shares = tf.mul(dy, tf.scalar(1 / (height * width)));
      return [tf.tile(tf.reshape(shares, [-1, 1, 1, channels]), [1, height, width, 1])];
    },
  })) as Tensor2D;
}

/** The sum of two tensors of one shape. */
export function add<T extends Tensor>(a: T, b: T): T {
  return differentiable([a, b], () => ({
    value: tf.add(a, b),
    saved: [],
    gradient: (dy) => [dy, tf.clone(dy)],
  })) as T;
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
