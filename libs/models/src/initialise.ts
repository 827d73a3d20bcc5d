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
    if (init.kind === 'constant') flat.fill(init.value, offset, offset + size);
    else
      fillUniform(flat.subarray(offset, offset + size), init.bound, (i) =>
        randomUnit(key, [parameter, 0], i),
      );
    offset += size;
  });
  return flat;
}

/** @returns the buffers before the first step, [bufferCount] */
export function initialBuffers(model: Model): Float32Array {
  const flat = new Float32Array(model.bufferCount);
  let offset = 0;
  for (const { shape, init } of model.buffers) {
    flat.fill(init.value, offset, offset + sizeOf(shape));
    offset += sizeOf(shape);
  }
  return flat;
}

function fillUniform(values: Float32Array, bound: number, unit: (index: number) => number): void {
  for (let i = 0; i < values.length; i++) values[i] = (2 * unit(i) - 1) * bound;
}
