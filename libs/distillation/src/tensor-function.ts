import type { Tensor } from '@tensorflow/tfjs-core';

export type NamedTensors = Readonly<Record<string, Tensor>>;

/** Pure: its outputs depend on its inputs alone, and it disposes none of them. What it returns is the caller's. */
export type TensorFunction = (inputs: NamedTensors) => NamedTensors;

export interface RunnableFunction {
  run(inputs: NamedTensors): NamedTensors;
  /** Frees what running it faster took. */
  dispose(): void;
}

/** Makes something faster of a function that does the same. `Compiler` of @fidelis/compute is one; whoever starts the backend gives it. */
export interface FunctionCompiler {
  compile(name: string, body: TensorFunction): RunnableFunction;
}

/** Leaves a function as it is: one operation after the other. */
export const EAGER: FunctionCompiler = {
  compile: (_name, run) => ({ run, dispose: () => undefined }),
};

/** @throws RangeError if the function was not given, or did not give, this tensor */
export function tensorNamed<T extends Tensor>(tensors: NamedTensors, name: string): T {
  const tensor = tensors[name];
  if (tensor === undefined) throw new RangeError(`there is no tensor "${name}"`);
  return tensor as T;
}
