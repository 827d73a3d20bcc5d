import * as tf from '@tensorflow/tfjs-core';
import type {
  KernelConfig,
  NamedAttrMap,
  NamedTensorInfoMap,
  Tensor,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import { requireInput } from './kernel-input.js';

/** A kernel composed of others: what it makes on the way is freed. */
export type KernelBody = (inputs: NamedTensorInfoMap, attributes: NamedAttrMap) => Tensor | Tensor[];

/** Registers a kernel of the wasm backend, unless it is registered. */
export function registerWasm(kernelName: string, body: KernelBody): void {
  if (registeredWasm(kernelName) !== undefined) return;
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => tf.tidy(() => body(inputs, attrs ?? {})),
  });
}

/** TensorFlow.js types the absent kernel as present. */
export function registeredWasm(kernelName: string): KernelConfig | undefined {
  return tf.getKernel(kernelName, 'wasm');
}

/** An input of a kernel as a tensor: the engine hands tensors to kernels, but kernels among themselves may pass plain descriptions. */
export function tensorInput(inputs: NamedTensorInfoMap, name: string): Tensor {
  const input = requireInput(inputs, name);
  return isTensor(input) ? input : tf.engine().makeTensorFromTensorInfo(input);
}

function isTensor(input: TensorInfo): input is Tensor {
  return input instanceof tf.Tensor;
}
