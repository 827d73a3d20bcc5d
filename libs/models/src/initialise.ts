import { randomKey, randomUnit } from '@fidelis/data';
import { sizeOf, type Model } from './model.js';

/**
 * The model's first parameters, as one flat buffer: value `i` of parameter `p` is (2u − 1) · bound with u the number that
 * (seed, p, i) names, so that no parameter depends on another's size or on any order.
 *
 * @param seed 0…2^32−1
 * @returns [parameterCount]
 */
export function initialise(model: Model, seed: number): Float32Array {
  const key = randomKey(seed, 'initialisation');
  const flat = new Float32Array(model.parameterCount);
  let offset = 0;
  model.parameters.forEach(({ shape, init }, parameter) => {
    const size = sizeOf(shape);
    for (let i = 0; i < size; i++) {
      flat[offset + i] = (2 * randomUnit(key, [parameter, 0], i) - 1) * init.bound;
    }
    offset += size;
  });
  return flat;
}
