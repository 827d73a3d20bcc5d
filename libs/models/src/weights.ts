import { FidelisError } from '@fidelis/contracts';
import { sizeOf, type Model } from './model.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from './safetensors.js';

/**
 * A model's weights as a safetensors file.
 *
 * @param flat [parameterCount]
 */
export function encodeWeights(
  model: Model,
  flat: Float32Array,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return encodeSafetensors({ tensors: namedParameters(model, flat), metadata });
}

/**
 * @returns the flat buffer, [parameterCount]
 * @throws FidelisError WEIGHTS.INVALID: not safetensors, a tensor missing, too many, or of another shape or type than the model's
 */
export function decodeWeights(model: Model, bytes: Uint8Array): Float32Array {
  return flatParameters(model, decodeSafetensors(bytes).tensors);
}

/** @throws FidelisError WEIGHTS.INVALID if the buffer is not of the model's length */
export function namedParameters(model: Model, flat: Float32Array): NamedTensor[] {
  if (flat.length !== model.parameterCount) {
    throw mismatch(model, `${flat.length} values where it has ${model.parameterCount}`);
  }
  let offset = 0;
  return model.parameters.map(({ name, shape }) => {
    const begin = offset;
    offset += sizeOf(shape);
    return { name, shape, values: flat.subarray(begin, offset) };
  });
}

/** @throws FidelisError WEIGHTS.INVALID unless `tensors` are exactly the model's */
export function flatParameters(model: Model, tensors: readonly NamedTensor[]): Float32Array {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const flat = new Float32Array(model.parameterCount);
  let offset = 0;
  for (const { name, shape } of model.parameters) {
    const tensor = byName.get(name);
    if (tensor === undefined) throw mismatch(model, `tensor "${name}" is missing`);
    if (tensor.shape.join() !== shape.join()) {
      throw mismatch(model, `tensor "${name}" is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`);
    }
    flat.set(tensor.values, offset);
    offset += sizeOf(shape);
    byName.delete(name);
  }
  const [extra] = byName.keys();
  if (extra !== undefined) throw mismatch(model, `tensor "${extra}" is not one of its parameters`);
  return flat;
}

function mismatch(model: Model, problem: string): FidelisError {
  return new FidelisError(
    'WEIGHTS.INVALID',
    `these weights do not fit ${model.architecture.name}: ${problem}`,
  );
}
