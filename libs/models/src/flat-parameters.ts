import { reshape, split, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { sizeOf, type Model } from './model.js';

/**
 * The flat buffer as the model's parameters: one `split` and a `reshape` for each.
 *
 * @param flat [parameterCount]
 */
export function unflatten(model: Model, flat: Tensor1D): Tensor[] {
  const pieces = split(
    flat,
    model.parameters.map(({ shape }) => sizeOf(shape)),
  );
  return model.parameters.map(({ shape }, i) => {
    const piece = pieces[i];
    if (piece === undefined) throw new RangeError(`the split gave no piece ${i}`);
    return shape.length === 1 ? piece : reshape(piece, [...shape]);
  });
}
