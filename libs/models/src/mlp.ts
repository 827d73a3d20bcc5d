import type { ArchitectureSpec } from '@fidelis/contracts';
import { inputLength, isImageShape, type InputShape } from '@fidelis/data';
import { reshape, type Tensor2D } from '@tensorflow/tfjs-core';
import { relu } from './layer-operations.js';
import type { Model } from './model.js';
import { NetworkBuilder } from './network-builder.js';

const DEFAULT_HIDDEN_UNITS = [128];

/** Dense layers with ReLU between them: for any input, flattened. */
export function mlp(architecture: ArchitectureSpec, inputShape: InputShape, classes: number): Model {
  const inputs = inputLength(inputShape);
  const widths = [inputs, ...(architecture.hiddenUnits ?? DEFAULT_HIDDEN_UNITS), classes];
  const builder = new NetworkBuilder();
  const layers = widths.slice(1).map((outputs, index) => {
    const first = index === 0;
    const flattened = first && isImageShape(inputShape) ? { flattened: inputShape } : {};
    return builder.dense(`dense${index + 1}`, widths[index] ?? 0, outputs, { first, ...flattened });
  });
  return builder.model({ architecture, inputShape, classes }, (given, pass) => {
    let hidden: Tensor2D = reshape(given, [-1, inputs]);
    layers.forEach((layer, index) => {
      const sum = layer(hidden, pass);
      hidden = index < layers.length - 1 ? relu(sum) : sum;
    });
    return hidden;
  });
}
