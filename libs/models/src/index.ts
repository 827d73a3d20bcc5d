export { combineMembers } from './combine-members.js';
export { createModel } from './create-model.js';
export { unflatten, unflattenBuffers } from './flat-parameters.js';
export { modelCatalogue, type CatalogueEntry } from './model-catalogue.js';
export { differentiable, runKernel, runKernels, tensorAt, type Differentiable } from './differentiable.js';
export { initialBuffers, initialise, initialWeights } from './initialise.js';
export {
  type BufferSpec,
  type ConstantInit,
  type ForwardPass,
  type ForwardResult,
  type Model,
  type ModelWeights,
  type NormalInit,
  type ParameterLayout,
  type ParameterSpec,
  type UniformInit,
} from './model.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  type SafetensorsContent,
} from './safetensors.js';
export {
  exportTorchWeights,
  importTorchWeights,
  readWeights,
  vocabularyOf,
  type TensorNameMap,
} from './torch-weights.js';
export {
  decodeWeights,
  encodeWeights,
  flatParameters,
  modelWeights,
  namedBuffers,
  namedParameters,
} from './weights.js';
