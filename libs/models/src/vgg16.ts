import { FidelisError, type ArchitectureSpec } from '@fidelis/contracts';
import { isImageShape, type InputShape } from '@fidelis/data';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { flatten, relu } from './layer-operations.js';
import type { Model } from './model.js';
import { NetworkBuilder, sequence, type Layer } from './network-builder.js';

/** Channels of the 3×3 convolutions between two halvings (configuration D of Simonyan and Zisserman 2015). */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];
const LAST_CHANNELS = 512;
const HIDDEN_UNITS = 512;
/** Five halvings leave one pixel of 32. */
const LEAST_SIZE = 32;

/**
 * VGG-16 without batch normalisation, with the classifier of the paper's code: two dense layers of 512, then the classes. 15,291,300
 * parameters for 32×32×3 and 100 classes. It has no dropout: a step is a function of its batch.
 *
 * @throws FidelisError MODEL.MISMATCH for text, or images below 32×32
 */
export function vgg16(architecture: ArchitectureSpec, inputShape: InputShape, classes: number): Model {
  if (!isImageShape(inputShape))
    throw new FidelisError('MODEL.MISMATCH', 'vgg16 takes images, not text: use bilstm or mlp');
  const { height, width } = inputShape;
  if (Math.min(height, width) < LEAST_SIZE) {
    throw new FidelisError(
      'MODEL.MISMATCH',
      `vgg16 takes images of ${LEAST_SIZE}×${LEAST_SIZE} or more, not ${height}×${width}: use preresnet20 or mlp`,
    );
  }
  const builder = new NetworkBuilder();
  const layers: Layer[] = [];
  let inputs = inputShape.channels;
  let number = 0;
  for (const stage of STAGES) {
    stage.forEach((outputs, index) => {
      number += 1;
      const pooled = index === stage.length - 1;
      const shape = { size: 3, padding: 1, inputs, outputs, bias: true, pooled, first: number === 1 };
      layers.push(builder.convolution(`conv${number}`, shape), relu);
      inputs = outputs;
    });
  }
  const features = sequence(layers);
  const halvings = 2 ** STAGES.length;
  const flattened = {
    height: Math.floor(height / halvings),
    width: Math.floor(width / halvings),
    channels: LAST_CHANNELS,
  };
  const dense1 = builder.dense('dense1', flattened.height * flattened.width * LAST_CHANNELS, HIDDEN_UNITS, {
    flattened,
  });
  const dense2 = builder.dense('dense2', HIDDEN_UNITS, HIDDEN_UNITS);
  const dense3 = builder.dense('dense3', HIDDEN_UNITS, classes);
  return builder.model({ architecture, inputShape, classes }, (images, pass) => {
    const hidden = relu(dense1(flatten(features(images as Tensor4D, pass)), pass));
    return dense3(relu(dense2(hidden, pass)), pass);
  });
}
