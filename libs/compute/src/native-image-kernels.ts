import * as tf from '@tensorflow/tfjs-core';
import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { NativeAttributes, requireNumber, requireNumbers } from './kernel-attributes.js';
import { requireInput } from './kernel-input.js';
import { TRAINING_KERNELS } from './kernel-names.js';
import { registerNative, type NativeBackend, type OperationAttribute } from './native-kernels.js';

/** The gradients of padded, strided convolutions, and batch normalisation with the batch's statistics. Idempotent. */
export function registerNativeImageKernels(backend: NativeBackend): void {
  const attributes = new NativeAttributes(backend.binding);
  registerConvolutionGradients(backend, attributes);
  registerBatchNorm(backend, attributes);
}

function registerConvolutionGradients(backend: NativeBackend, attributes: NativeAttributes): void {
  const convolution = (given: NamedAttrMap): OperationAttribute[] => {
    const stride = requireNumber(given, 'strides');
    const padding = requireNumber(given, 'padding');
    return [
      attributes.float32('T'),
      attributes.integers('strides', [1, stride, stride, 1]),
      attributes.integers('dilations', [1, 1, 1, 1]),
      attributes.text('padding', padding === 0 ? 'VALID' : 'EXPLICIT'),
      ...(padding === 0
        ? []
        : [attributes.integers('explicit_paddings', [0, 0, padding, padding, padding, padding, 0, 0])]),
      attributes.flag('use_cudnn_on_gpu', true),
      attributes.channelsLast(),
    ];
  };
  registerNative(TRAINING_KERNELS.convolutionFilterGrad, (inputs, given) =>
    withShape(requireNumbers(given, 'filterShape'), (shape) =>
      backend.executeSingleOutput('Conv2DBackpropFilter', convolution(given), [
        requireInput(inputs, 'x'),
        shape,
        requireInput(inputs, 'dy'),
      ]),
    ),
  );
  registerNative(TRAINING_KERNELS.convolutionInputGrad, (inputs, given) =>
    withShape(requireNumbers(given, 'inputShape'), (shape) =>
      backend.executeSingleOutput('Conv2DBackpropInput', convolution(given), [
        shape,
        requireInput(inputs, 'filter'),
        requireInput(inputs, 'dy'),
      ]),
    ),
  );
}

/** What follows y, the moved mean and variance in the outputs of TensorFlow's training kernel: for its gradient. */
const BATCH_NORM_OUTPUTS = 6;
/** Of the gradient's outputs the last two are empty. */
const BATCH_NORM_GRADIENTS = 3;

function registerBatchNorm(backend: NativeBackend, attributes: NativeAttributes): void {
  const normalisation = (given: NamedAttrMap, training: boolean): OperationAttribute[] => [
    attributes.float32('T'),
    attributes.float32('U'),
    attributes.real('epsilon', requireNumber(given, 'epsilon')),
    attributes.channelsLast(),
    attributes.flag('is_training', training),
  ];
  const operands = (inputs: tf.NamedTensorInfoMap): TensorInfo[] =>
    ['x', 'scale', 'offset', 'mean', 'variance'].map((name) => requireInput(inputs, name));
  registerNative(TRAINING_KERNELS.batchNormTraining, (inputs, given) =>
    backend.executeMultipleOutputs(
      'FusedBatchNormV3',
      [
        ...normalisation(given, true),
        attributes.real('exponential_avg_factor', requireNumber(given, 'momentum')),
      ],
      operands(inputs),
      BATCH_NORM_OUTPUTS,
    ),
  );
  registerNative(TRAINING_KERNELS.batchNormInference, (inputs, given) => {
    const [y, ...rest] = backend.executeMultipleOutputs(
      'FusedBatchNormV3',
      [...normalisation(given, false), attributes.real('exponential_avg_factor', 1)],
      operands(inputs),
      BATCH_NORM_OUTPUTS,
    );
    return firstOf(y, rest);
  });
  registerNative(TRAINING_KERNELS.batchNormGrad, (inputs, given) => {
    const outputs = backend.executeMultipleOutputs(
      'FusedBatchNormGradV3',
      normalisation(given, given['training'] === true),
      ['dy', 'x', 'scale', 'reserve1', 'reserve2', 'reserve3'].map((name) => requireInput(inputs, name)),
      5,
    );
    outputs.slice(BATCH_NORM_GRADIENTS).forEach(dispose);
    return outputs.slice(0, BATCH_NORM_GRADIENTS);
  });
}

/** Frees the other outputs of an operation of which one is wanted. */
function firstOf(first: TensorInfo | undefined, rest: readonly TensorInfo[]): TensorInfo {
  if (first === undefined) throw new TypeError('the operation has no output');
  rest.forEach(dispose);
  return first;
}

function dispose(tensor: TensorInfo): void {
  if (tensor instanceof tf.Tensor) tensor.dispose();
}

function withShape(shape: readonly number[], run: (shape: TensorInfo) => TensorInfo): TensorInfo {
  const tensor = tf.tensor1d([...shape], 'int32');
  const output = run(tensor);
  tensor.dispose();
  return output;
}
