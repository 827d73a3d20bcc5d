import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { ArchitectureSpec } from '@fidelis/contracts';
import type { InputShape } from '@fidelis/data';

/** How a parameter starts: uniform on (−bound, bound). */
export interface UniformInit {
  readonly kind: 'uniform';
  readonly bound: number;
}

/** All values alike. */
export interface ConstantInit {
  readonly kind: 'constant';
  readonly value: number;
}

export interface ParameterSpec {
  /** Name in the weights file: unique within the model, buffers included. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: UniformInit | ConstantInit;
}

/** State that no gradient changes: the running statistics of batch normalisation. */
export interface BufferSpec {
  /** Name in the weights file: unique within the model, parameters included. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: ConstantInit;
}

export interface ForwardPass {
  /** One tensor per entry of the model's `parameters`, of its shape. */
  readonly parameters: readonly Tensor[];
  /** One tensor per entry of the model's `buffers`, of its shape. */
  readonly buffers: readonly Tensor[];
  /** `train` normalises by the batch and moves the buffers; `eval` normalises by the buffers. */
  readonly mode: 'train' | 'eval';
}

export interface ForwardResult {
  /** [N, classes] */
  readonly logits: Tensor2D;
  /** In `train` the buffers after this batch; in `eval`, and for a model without any, the given ones. */
  readonly buffers: readonly Tensor[];
}

/** An architecture for one input shape and number of classes: no weights. */
export interface Model {
  readonly architecture: ArchitectureSpec;
  readonly inputShape: InputShape;
  readonly classes: number;
  /** In the order in which the flat buffer holds them. */
  readonly parameters: readonly ParameterSpec[];
  /** Values of all parameters: length of their flat buffer. */
  readonly parameterCount: number;
  /** In the order in which their own flat buffer holds them. */
  readonly buffers: readonly BufferSpec[];
  /** Values of all buffers. */
  readonly bufferCount: number;
  /** @param inputs [N, height, width, channels], or [N, length] of tokens: `inputDimensions` of the input shape */
  forward(pass: ForwardPass, inputs: Tensor): ForwardResult;
}

/** Values in a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Values of all tensors together. */
export function countOf(tensors: readonly { readonly shape: readonly number[] }[]): number {
  return tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/**
 * Weight and bias of a layer with PyTorch's default initialisation: Kaiming-uniform with a = √5, which is U(±1/√fan_in) for both.
 *
 * @param weightShape [..., inputs, outputs]: the last axis is the layer's width, the others make up its fan-in
 */
export function layerParameters(
  layer: string,
  weightShape: readonly number[],
): [weight: ParameterSpec, bias: ParameterSpec] {
  const fanIn = sizeOf(weightShape.slice(0, -1));
  const init: UniformInit = { kind: 'uniform', bound: 1 / Math.sqrt(fanIn) };
  return [
    { name: `${layer}.weight`, shape: weightShape, init },
    { name: `${layer}.bias`, shape: weightShape.slice(-1), init },
  ];
}

/** The parameter at this place, typed by the caller, who declared its shape. */
export function parameterAt<T extends Tensor>(parameters: readonly Tensor[], index: number): T {
  const parameter = parameters[index];
  if (parameter === undefined) throw new RangeError(`the model has no parameter ${index}`);
  return parameter as T;
}
