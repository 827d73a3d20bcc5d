import { FidelisError, type ArchitectureSpec } from '@fidelis/contracts';
import { isImageShape, type InputShape } from '@fidelis/data';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { flatten, relu } from './layer-operations.js';
import type { Model } from './model.js';
import { NetworkBuilder, sequence } from './network-builder.js';

/** 28×28 is padded to the 32×32 that the network was made for. */
const FIRST_PADDING: Readonly<Record<number, number>> = { 28: 2, 32: 0 };

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
  const padding = height === width ? FIRST_PADDING[height] : undefined;
  if (padding === undefined) {
    throw new FidelisError(
      'MODEL.MISMATCH',
      `lenet5 takes images of 28×28 or 32×32, not ${height}×${width}: use mlp, or another dataset`,
    );
  }
  const builder = new NetworkBuilder();
  const convolution = { size: 5, bias: true, pooled: true, init: 'default' } as const;
  const features = sequence([
    builder.convolution('conv1', { ...convolution, inputs: channels, outputs: 6, padding, first: true }),
    relu,
    builder.convolution('conv2', { ...convolution, inputs: 6, outputs: 16 }),
    relu,
  ]);
  const flattened = { height: 5, width: 5, channels: 16 };
  const dense1 = builder.dense('dense1', 5 * 5 * 16, 120, { flattened });
  const dense2 = builder.dense('dense2', 120, 84);
  const dense3 = builder.dense('dense3', 84, classes);
  return builder.model({ architecture, inputShape, classes }, (inputs, pass) => {
    const images = flatten(features(inputs as Tensor4D, pass));
    return dense3(relu(dense2(relu(dense1(images, pass)), pass)), pass);
  });
}
