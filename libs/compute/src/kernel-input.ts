import type { NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';

/** The input of a kernel by its name. A kernel called without it is a fault of the caller's code. */
export function requireInput(inputs: NamedTensorInfoMap, name: string): TensorInfo {
  const input = inputs[name];
  if (input === undefined) throw new TypeError(`the kernel needs an input named "${name}"`);
  return input;
}
