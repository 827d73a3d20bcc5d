import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { ArchitectureSpec } from '@fidelis/contracts';
import type { ImageShape, InputShape } from '@fidelis/data';

/** How a parameter starts: uniform on (−bound, bound). */
export interface UniformInit {
  readonly kind: 'uniform';
  readonly bound: number;
}

/** How a parameter starts: normal, of mean 0. */
export interface NormalInit {
  readonly kind: 'normal';
  readonly deviation: number;
}

/** All values alike. */
export interface ConstantInit {
  readonly kind: 'constant';
  readonly value: number;
}

/**
 * What the axes of a parameter are.
 *
 * - `convolution`: [height, width, inputs, outputs].
 * - `dense`: [inputs, outputs]; `flattened` is the shape [height, width, channels] of the images that became the inputs, where they did.
 * - `table`: [rows, columns], a row for each word.
 */
export type ParameterLayout =
  { readonly kind: 'convolution' | 'table' } | { readonly kind: 'dense'; readonly flattened?: ImageShape };

export interface ParameterSpec {
  /** Name in the weights file: unique within the model, buffers included. */
  readonly name: string;
  readonly shape: readonly number[];
  /** @default one value per channel */
  readonly layout?: ParameterLayout;
  readonly init: UniformInit | NormalInit | ConstantInit;
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

/** The values of a model: all that a weights file holds. */
export interface ModelWeights {
  /** The flat buffer of the parameters, [parameterCount]. */
  readonly parameters: Float32Array;
  /** The flat buffer of the buffers, [bufferCount]. */
  readonly buffers: Float32Array;
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
