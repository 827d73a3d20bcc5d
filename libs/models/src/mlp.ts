import type { ArchitectureSpec } from '@fidelis/contracts';
import { inputLength, type InputShape } from '@fidelis/data';
import { reshape, type Tensor2D } from '@tensorflow/tfjs-core';
import { addBias, multiply, relu } from './layer-operations.js';
import { countOf, layerParameters, parameterAt, type Model } from './model.js';

const DEFAULT_HIDDEN_UNITS = [128];

/** Dense layers with ReLU between them: for any input, flattened. */
export function mlp(architecture: ArchitectureSpec, inputShape: InputShape, classes: number): Model {
  const inputs = inputLength(inputShape);
  const widths = [inputs, ...(architecture.hiddenUnits ?? DEFAULT_HIDDEN_UNITS), classes];
  const layers = widths.length - 1;
  const parameters = Array.from({ length: layers }, (_, layer) =>
    layerParameters(`dense${layer + 1}`, widths.slice(layer, layer + 2)),
  ).flat();
  return {
    architecture,
    inputShape,
    classes,
    parameters,
    parameterCount: countOf(parameters),
    buffers: [],
    bufferCount: 0,
    forward: ({ parameters: tensors, buffers }, images) => {
      let hidden: Tensor2D = reshape(images, [-1, inputs]);
      for (let layer = 0; layer < layers; layer++) {
        const product = multiply(hidden, parameterAt(tensors, 2 * layer), layer > 0);
        const sum = addBias(product, parameterAt(tensors, 2 * layer + 1));
        hidden = layer < layers - 1 ? relu(sum) : sum;
      }
      return { logits: hidden, buffers };
    },
  };
}
