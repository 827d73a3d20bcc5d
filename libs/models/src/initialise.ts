import { philox4x32, randomKey, type PhiloxKey } from '@fidelis/data';
import { sizeOf, type Model, type ModelWeights } from './model.js';
import { normalPair } from './normal-pair.js';

/** A model's weights before the first step, from a seed (0…2^32−1). */
export function initialWeights(model: Model, seed: number): ModelWeights {
  return { parameters: initialise(model, seed), buffers: initialBuffers(model) };
}

/**
 * The model's first parameters, as one flat buffer. Value `i` of parameter `p` is a function of the number that (seed, p, i) names, so that
 * no parameter depends on another's size or on any order: (2u − 1) · bound for a uniform one; for a normal one the pair (i, i + 1), i even,
 * is made of the two numbers of these places.
 *
 * @param seed 0…2^32−1
 * @returns [parameterCount]
 */
export function initialise(model: Model, seed: number): Float32Array {
  const key = randomKey(seed, 'initialisation');
  const flat = new Float32Array(model.parameterCount);
  let offset = 0;
  model.parameters.forEach(({ shape, init }, parameter) => {
    const values = flat.subarray(offset, offset + sizeOf(shape));
    if (init.kind === 'constant') values.fill(init.value);
    else if (init.kind === 'uniform') fillUniform(values, init.bound, key, parameter);
    else fillNormal(values, init.deviation, key, parameter);
    offset += values.length;
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

/** Values from one block of the generator. */
const BLOCK_WORDS = 4;

/** The words that the places `from`…`from` + 3 of a parameter name; `from` is a multiple of 4 (see `randomUint32`). */
function wordsAt(key: PhiloxKey, parameter: number, from: number): readonly [number, number, number, number] {
  const block = from / BLOCK_WORDS;
  return philox4x32([block >>> 0, Math.floor(block / 2 ** 32), parameter, 0], key);
}

function fillUniform(values: Float32Array, bound: number, key: PhiloxKey, parameter: number): void {
  for (let from = 0; from < values.length; from += BLOCK_WORDS) {
    const words = wordsAt(key, parameter, from);
    const count = Math.min(BLOCK_WORDS, values.length - from);
    for (let i = 0; i < count; i++) values[from + i] = (2 * ((words[i] ?? 0) / 2 ** 32) - 1) * bound;
  }
}

function fillNormal(values: Float32Array, deviation: number, key: PhiloxKey, parameter: number): void {
  for (let from = 0; from < values.length; from += BLOCK_WORDS) {
    const [a, b, c, d] = wordsAt(key, parameter, from);
    const [first, second] = normalPair(a, b);
    const [third, fourth] = normalPair(c, d);
    values[from] = first * deviation;
    // Beyond the end of a typed array a value is dropped.
    values[from + 1] = second * deviation;
    values[from + 2] = third * deviation;
    values[from + 3] = fourth * deviation;
  }
}
