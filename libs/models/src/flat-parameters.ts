import { reshape, split, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { sizeOf, type Model } from './model.js';

/**
 * The flat buffer as the model's parameters: one `split` and a `reshape` for each.
 *
 * @param flat [parameterCount]
 */
export function unflatten(model: Model, flat: Tensor1D): Tensor[] {
  return pieces(model.parameters, flat);
}

/**
 * The flat buffer of a model's buffers as these.
 *
 * @param flat [bufferCount]
 */
export function unflattenBuffers(model: Model, flat: Tensor1D): Tensor[] {
  return model.buffers.length === 0 ? [] : pieces(model.buffers, flat);
}

function pieces(specs: readonly { readonly shape: readonly number[] }[], flat: Tensor1D): Tensor[] {
  const parts = split(
    flat,
    specs.map(({ shape }) => sizeOf(shape)),
  );
  return specs.map(({ shape }, i) => {
    const piece = parts[i];
    if (piece === undefined) throw new RangeError(`the split gave no piece ${i}`);
    return shape.length === 1 ? piece : reshape(piece, [...shape]);
  });
}
