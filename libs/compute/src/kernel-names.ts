/**
 * Kernels that training uses and TensorFlow.js has no operation for. Named as TensorFlow names its own operations; inputs
 * and outputs are TensorFlow's too. `startBackend` registers them for whichever backend it starts.
 *
 * | kernel | inputs | output |
 * |---|---|---|
 * | BiasAdd | value [..., C], bias [C] | [..., C] |
 * | BiasAddGrad | dy [..., C] | [C] |
 * | ReluGrad | dy, y (what Relu returned) | dy where y > 0, else 0 |
 * | SoftmaxCrossEntropyWithLogits | features [B, C], labels [B, C] | loss [B], softmax(features) − labels [B, C] |
 */
export const TRAINING_KERNELS = {
  biasAdd: 'BiasAdd',
  biasAddGrad: 'BiasAddGrad',
  reluGrad: 'ReluGrad',
  softmaxCrossEntropy: 'SoftmaxCrossEntropyWithLogits',
} as const;
