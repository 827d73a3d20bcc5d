import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { ArchitectureSpec } from '@fidelis/contracts';
import type { InputShape } from '@fidelis/data';

/** How a parameter starts: uniform on (−bound, bound). */
export interface UniformInit {
  readonly kind: 'uniform';
  readonly bound: number;
}

export interface ParameterSpec {
  /** Name in the weights file: unique within the model. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly init: UniformInit;
}

/** An architecture for one input shape and number of classes: no weights. */
export interface Model {
  readonly architecture: ArchitectureSpec;
  readonly inputShape: InputShape;
  readonly classes: number;
  /** In the order in which the flat buffer holds them. */
  readonly parameters: readonly ParameterSpec[];
  /** Length of the flat buffer. */
  readonly parameterCount: number;
  /**
   * @param parameters one tensor per entry of `parameters`, of its shape
   * @param inputs [N, height, width, channels]
   * @returns logits [N, classes]
   */
  forward(parameters: readonly Tensor[], inputs: Tensor4D): Tensor2D;
}

/** Values in a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function parameterCount(parameters: readonly ParameterSpec[]): number {
  return parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
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
