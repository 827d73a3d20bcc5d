import * as tf from '@tensorflow/tfjs-core';
import type { NamedAttrMap, NamedTensorInfoMap, Tensor, TensorInfo } from '@tensorflow/tfjs-core';
import { TRAINING_KERNELS } from './kernel-names.js';
import { registeredWasm, registerWasm, tensorInput } from './wasm-kernel.js';
import { maxPoolGradient } from './wasm-pooling.js';

/**
 * Registers what training needs and tfjs-backend-wasm 4.22 lacks, and replaces two of its kernels that are slow in the
 * cases training has, each composed of the backend's own fast kernels, and one that is wrong. Idempotent.
 */
export function registerWasmKernels(): void {
  if (registeredWasm(TRAINING_KERNELS.biasAdd) !== undefined) return;
  registerWasm(TRAINING_KERNELS.biasAdd, (inputs) =>
    tf.add(tensorInput(inputs, 'value'), tensorInput(inputs, 'bias')),
  );
  registerWasm(TRAINING_KERNELS.biasAddGrad, (inputs) => {
    const dy = tensorInput(inputs, 'dy');
    return tf.sum(
      dy,
      dy.shape.slice(0, -1).map((_, axis) => axis),
    );
  });
  registerWasm(TRAINING_KERNELS.reluGrad, (inputs) =>
    tf.mul(tensorInput(inputs, 'dy'), tf.step(tensorInput(inputs, 'y'))),
  );
  registerWasm(TRAINING_KERNELS.softmaxCrossEntropy, (inputs) =>
    softmaxCrossEntropy(tensorInput(inputs, 'features'), tensorInput(inputs, 'labels')),
  );
  registerWasm('Conv2DBackpropFilter', convolutionFilterGradient);
  replace('Conv2DBackpropInput', (inputs, attributes, original) =>
    hasUnitStride(attributes) ? convolutionInputGradient(inputs, attributes) : original(inputs, attributes),
  );
  replace('MaxPoolGrad', maxPoolGradient);
  replace('BatchMatMul', (inputs, attributes, original) =>
    attributes['transposeA'] === true || attributes['transposeB'] === true
      ? transposedProduct(inputs, attributes)
      : original(inputs, attributes),
  );
}

function softmaxCrossEntropy(features: Tensor, labels: Tensor): Tensor[] {
  const shifted = tf.sub(features, tf.max(features, 1, true));
  const exponentials = tf.exp(shifted);
  const sums = tf.sum(exponentials, 1, true);
  const logSoftmax = tf.sub(shifted, tf.log(sums));
  return [tf.neg(tf.sum(tf.mul(labels, logSoftmax), 1)), tf.sub(tf.div(exponentials, sums), labels)];
}

/**
 * dW[i, j, c, k] = Σ_{n,h,w} x[n, h+i, w+j, c] · dy[n, h, w, k] is itself a convolution, in which channels and
 * samples have changed places: the "images" are x's channels, the "filter" is dy. Stride 1, no dilation.
 */
function convolutionFilterGradient(inputs: NamedTensorInfoMap, attributes: NamedAttrMap): Tensor {
  const x = tensorInput(inputs, 'x');
  const dy = tensorInput(inputs, 'dy');
  const [filterHeight = 0, filterWidth = 0] = attributes['filterShape'] as number[];
  if (!hasUnitStride(attributes))
    throw new RangeError('on wasm a convolution can be trained at stride 1 only');
  const images = tf.transpose(x, [3, 1, 2, 0]) as tf.Tensor4D;
  const filter = tf.transpose(dy, [1, 2, 0, 3]) as tf.Tensor4D;
  const padded = tf.pad(images, [
    [0, 0],
    totalPadding(size(x, 1), size(dy, 1), filterHeight),
    totalPadding(size(x, 2), size(dy, 2), filterWidth),
    [0, 0],
  ]);
  return tf.transpose(tf.conv2d(padded, filter, 1, 'valid'), [1, 2, 0, 3]);
}

/**
 * dx = dy, padded, convolved with the filter turned by 180° and its channels exchanged. Stride 1, no dilation. The backend's own
 * kernel is a plain loop: five times slower.
 */
function convolutionInputGradient(inputs: NamedTensorInfoMap, attributes: NamedAttrMap): Tensor {
  const dy = tensorInput(inputs, 'dy') as tf.Tensor4D;
  const filter = tensorInput(inputs, 'filter') as tf.Tensor4D;
  const inputShape = attributes['inputShape'] as number[];
  const padding = (axis: 1 | 2): [number, number] => {
    const filterSize = size(filter, axis - 1);
    const [before, after] = totalPadding(inputShape[axis] ?? 0, size(dy, axis), filterSize);
    return [filterSize - 1 - before, filterSize - 1 - after];
  };
  const padded = tf.pad(dy, [[0, 0], padding(1), padding(2), [0, 0]]);
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
  return tf.conv2d(padded, turned, 1, 'valid');
}

/** The backend multiplies fast only what is not transposed. */
function transposedProduct(inputs: NamedTensorInfoMap, attributes: NamedAttrMap): Tensor {
  const a = tensorInput(inputs, 'a');
  const b = tensorInput(inputs, 'b');
  return tf.matMul(
    attributes['transposeA'] === true ? swapLastAxes(a) : a,
    attributes['transposeB'] === true ? swapLastAxes(b) : b,
  );
}

function swapLastAxes(matrix: Tensor): Tensor {
  const axes = matrix.shape.map((_, axis) => axis);
  const last = axes.length - 1;
  return tf.transpose(matrix, [...axes.slice(0, -2), last, last - 1]);
}

/** Zeros before and after an axis that turn `input` into `output` at stride 1; of an odd number the greater part comes after. */
function totalPadding(input: number, output: number, filter: number): [number, number] {
  const total = output - 1 + filter - input;
  const before = Math.floor(total / 2);
  return [before, total - before];
}

function hasUnitStride(attributes: NamedAttrMap): boolean {
  const strides = attributes['strides'];
  return (Array.isArray(strides) ? strides : [strides]).every((stride) => stride === 1);
}

function size(of: TensorInfo, axis: number): number {
  return of.shape[axis] ?? 0;
}

function replace(
  kernelName: string,
  body: (
    inputs: NamedTensorInfoMap,
    attributes: NamedAttrMap,
    original: (inputs: NamedTensorInfoMap, attributes: NamedAttrMap) => TensorInfo | TensorInfo[],
  ) => TensorInfo | TensorInfo[],
): void {
  const config = registeredWasm(kernelName);
  if (config === undefined) throw new Error(`the wasm backend has no kernel ${kernelName}`);
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    ...config,
    kernelFunc: ({ inputs, attrs, backend }) =>
      body(inputs, attrs ?? {}, (originalInputs, originalAttributes) =>
        config.kernelFunc({ inputs: originalInputs, attrs: originalAttributes, backend }),
      ),
  });
}
