import { FidelisError, type ArchitectureSpec } from '@fidelis/contracts';
import { isImageShape, type InputShape } from '@fidelis/data';
import type { Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { addBias, convolve, flatten, maxPool, multiply, relu, type Padding } from './layer-operations.js';
import { countOf, layerParameters, parameterAt, type Model } from './model.js';

/** 28×28 is padded to the 32×32 that the network was made for; padding the convolution does the same. */
const FIRST_PADDING: Readonly<Record<number, Padding>> = { 28: 'same', 32: 'valid' };

/**
 * LeNet-5 as the paper uses it: conv 6@5×5, conv 16@5×5, each with ReLU and 2×2 max pooling, then dense 120, 84 and the classes.
 * 61,706 parameters for 28×28×1 and 10 classes.
 *
 * @throws FidelisError MODEL.MISMATCH unless the input is 28×28 or 32×32
 */
export function lenet5(architecture: ArchitectureSpec, inputShape: InputShape, classes: number): Model {
  if (!isImageShape(inputShape))
    throw new FidelisError('MODEL.MISMATCH', 'lenet5 takes images, not text: use bilstm or mlp');
  const { height, width, channels } = inputShape;
  const firstPadding = height === width ? FIRST_PADDING[height] : undefined;
  if (firstPadding === undefined) {
    throw new FidelisError(
      'MODEL.MISMATCH',
      `lenet5 takes images of 28×28 or 32×32, not ${height}×${width}: use mlp, or another dataset`,
    );
  }
  if (architecture.hiddenUnits !== undefined) {
    throw new FidelisError(
      'MODEL.MISMATCH',
      'lenet5 has no hiddenUnits to choose: leave the field out, or use mlp',
    );
  }
  const parameters = [
    ...layerParameters('conv1', [5, 5, channels, 6]),
    ...layerParameters('conv2', [5, 5, 6, 16]),
    ...layerParameters('dense1', [5 * 5 * 16, 120]),
    ...layerParameters('dense2', [120, 84]),
    ...layerParameters('dense3', [84, classes]),
  ];
  return {
    architecture,
    inputShape,
    classes,
    parameters,
    parameterCount: countOf(parameters),
    buffers: [],
    bufferCount: 0,
    forward: ({ parameters: tensors, buffers }, inputs) => {
      const weight4D = (index: number): Tensor4D => parameterAt(tensors, index);
      const weight2D = (index: number): Tensor2D => parameterAt(tensors, index);
      const bias = (index: number): Tensor1D => parameterAt(tensors, index);
      const block1 = maxPool(
        relu(addBias(convolve(inputs as Tensor4D, weight4D(0), firstPadding, false), bias(1))),
      );
      const block2 = maxPool(relu(addBias(convolve(block1, weight4D(2), 'valid'), bias(3))));
      const dense1 = relu(addBias(multiply(flatten(block2), weight2D(4)), bias(5)));
      const dense2 = relu(addBias(multiply(dense1, weight2D(6)), bias(7)));
      return { logits: addBias(multiply(dense2, weight2D(8)), bias(9)), buffers };
    },
  };
}
