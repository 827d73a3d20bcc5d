/**
 * Kernels that training uses and TensorFlow.js has no operation for. Named as TensorFlow names its own operations where they are these;
 * inputs and outputs are TensorFlow's too. `startBackend` registers them for whichever backend it starts; on wasm the
 * gradients of strided convolutions, batch normalisation and recurrent layers only say that they are not there.
 *
 * | kernel | inputs | attributes | output |
 * |---|---|---|---|
 * | BiasAdd | value [..., C], bias [C] | | [..., C] |
 * | BiasAddGrad | dy [..., C] | | [C] |
 * | ReluGrad | dy, y (what Relu returned) | | dy where y > 0, else 0 |
 * | SoftmaxCrossEntropyWithLogits | features [B, C], labels [B, C] | | loss [B], softmax(features) − labels [B, C] |
 * | PaddedConv2DBackpropFilter | x, dy | strides, padding, filterShape | as Conv2DBackpropFilter |
 * | PaddedConv2DBackpropInput | dy, filter | strides, padding, inputShape | as Conv2DBackpropInput |
 * | FusedBatchNormTraining | x [N, H, W, C], scale, offset, mean, variance [C] | epsilon, momentum | y, the moved mean and variance, the batch's mean and variance as the gradient wants them, what else the gradient wants |
 * | FusedBatchNormInference | as above | epsilon | y |
 * | FusedBatchNormGradV3 | dy, x, scale, the last three outputs of FusedBatchNormTraining (reserve1…3); in eval mode mean, variance and any | epsilon, training | gradients of x, scale, offset |
 * | TableLookup | table [R, C], rows [...] int32 | | [..., C] |
 * | ReverseSequence | x [T, N, C], lengths [N] int32 | | x with the first lengths[n] steps of each sequence turned round |
 * | BlockLSTM | x [T, N, I], w [I + H, 4H], b [4H], state [N, H] of zeros, unused [H] | | i, cs, f, o, ci, co, h, each [T, N, H]: gates, cell states, hidden states |
 * | BlockLSTMGrad | as BlockLSTM, its outputs by name, csGradient and hGradient [T, N, H] | | gradients of x, w, b |
 *
 * The gates of a recurrent layer are in PyTorch's order: input, forget, cell, output.
 * `padding` is the number of zeros (or, for a maximum, of −∞) on each side of both axes of the image, as PyTorch counts it. The moved
 * statistics are (1 − momentum) · old + momentum · new, the new variance with Bessel's correction.
 */
export const TRAINING_KERNELS = {
  biasAdd: 'BiasAdd',
  biasAddGrad: 'BiasAddGrad',
  reluGrad: 'ReluGrad',
  softmaxCrossEntropy: 'SoftmaxCrossEntropyWithLogits',
  convolutionFilterGrad: 'PaddedConv2DBackpropFilter',
  convolutionInputGrad: 'PaddedConv2DBackpropInput',
  batchNormTraining: 'FusedBatchNormTraining',
  batchNormInference: 'FusedBatchNormInference',
  batchNormGrad: 'FusedBatchNormGradV3',
  tableLookup: 'TableLookup',
  reverseSequence: 'ReverseSequence',
  lstm: 'BlockLSTM',
  lstmGrad: 'BlockLSTMGrad',
} as const;
