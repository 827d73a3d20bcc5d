import {
  customGrad,
  engine,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from '@tensorflow/tfjs-core';

/** The result of an operation and how to differentiate it. */
export interface Differentiable {
  readonly value: Tensor;
  /** What the gradient needs: other tensors may be gone by then, but for the model's inputs. */
  readonly saved: readonly Tensor[];
  /**
   * @param dy gradient with respect to `value`, of its shape
   * @returns gradients with respect to the operation's inputs, one each
   */
  readonly gradient: (dy: Tensor, saved: readonly Tensor[]) => readonly Tensor[];
}

/** Runs an operation so that its own gradient is used: a typed form of `customGrad`. */
export function differentiable(
  inputs: readonly Tensor[],
  compute: (inputs: readonly Tensor[]) => Differentiable,
): Tensor {
  const operation = customGrad((...given) => {
    const save = given.at(-1) as (tensors: Tensor[]) => void;
    const { value, saved, gradient } = compute(given.slice(0, -1) as Tensor[]);
    save([...saved]);
    return { value, gradFunc: (dy, kept) => [...gradient(dy, kept)] };
  });
  return operation(...inputs);
}

/** Runs a kernel of the started backend by its name. */
export function runKernel(name: string, inputs: NamedTensorMap, attributes: NamedAttrMap = {}): Tensor {
  return engine().runKernel(name, inputs, attributes);
}

/** Runs a kernel that has several outputs. */
export function runKernels(name: string, inputs: NamedTensorMap, attributes: NamedAttrMap = {}): Tensor[] {
  return engine().runKernel<Tensor[]>(name, inputs, attributes);
}

export function tensorAt(tensors: readonly Tensor[], index: number): Tensor {
  const tensor = tensors[index];
  if (tensor === undefined) throw new RangeError(`there is no tensor ${index}`);
  return tensor;
}
