import { FidelisError } from '@fidelis/contracts';
import { sizeOf, type Model, type ModelWeights } from './model.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from './safetensors.js';

/** A model's weights as a safetensors file: its parameters, then its buffers. */
export function encodeWeights(
  model: Model,
  { parameters, buffers }: ModelWeights,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  return encodeSafetensors({
    tensors: [...namedParameters(model, parameters), ...namedBuffers(model, buffers)],
    metadata,
  });
}

/** @throws FidelisError WEIGHTS.INVALID: not safetensors, a tensor missing, too many, or of another shape or type than the model's */
export function decodeWeights(model: Model, bytes: Uint8Array): ModelWeights {
  return modelWeights(model, decodeSafetensors(bytes).tensors);
}

/** @throws FidelisError WEIGHTS.INVALID if the buffer is not of the model's length */
export function namedParameters(model: Model, flat: Float32Array): NamedTensor[] {
  return named(model, model.parameters, flat);
}

/** @throws FidelisError WEIGHTS.INVALID if the buffer is not of the model's length */
export function namedBuffers(model: Model, flat: Float32Array): NamedTensor[] {
  return named(model, model.buffers, flat);
}

/** @throws FidelisError WEIGHTS.INVALID unless `tensors` are exactly the model's parameters and buffers */
export function modelWeights(model: Model, tensors: readonly NamedTensor[]): ModelWeights {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const weights = {
    parameters: takeAll(model, model.parameters, byName),
    buffers: takeAll(model, model.buffers, byName),
  };
  refuseExtra(model, byName);
  return weights;
}

/** @throws FidelisError WEIGHTS.INVALID unless `tensors` are exactly the model's parameters */
export function flatParameters(model: Model, tensors: readonly NamedTensor[]): Float32Array {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const flat = takeAll(model, model.parameters, byName);
  refuseExtra(model, byName);
  return flat;
}

type NamedShape = Pick<NamedTensor, 'name' | 'shape'>;

function named(model: Model, specs: readonly NamedShape[], flat: Float32Array): NamedTensor[] {
  const count = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (flat.length !== count) throw misfit(model, `${flat.length} values where it has ${count}`);
  let offset = 0;
  return specs.map(({ name, shape }) => {
    const begin = offset;
    offset += sizeOf(shape);
    return { name, shape, values: flat.subarray(begin, offset) };
  });
}

/** Takes the tensors out of `byName`. */
function takeAll(model: Model, specs: readonly NamedShape[], byName: Map<string, NamedTensor>): Float32Array {
  const flat = new Float32Array(specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let offset = 0;
  for (const { name, shape } of specs) {
    const tensor = byName.get(name);
    if (tensor === undefined) throw misfit(model, `tensor "${name}" is missing`);
    if (tensor.shape.join() !== shape.join()) {
      throw misfit(model, `tensor "${name}" is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`);
    }
    flat.set(tensor.values, offset);
    offset += sizeOf(shape);
    byName.delete(name);
  }
  return flat;
}

function refuseExtra(model: Model, left: ReadonlyMap<string, NamedTensor>): void {
  const [extra] = left.keys();
  if (extra !== undefined) throw misfit(model, `tensor "${extra}" is not one of its tensors`);
}

function misfit(model: Model, problem: string): FidelisError {
  return new FidelisError(
    'WEIGHTS.INVALID',
    `these weights do not fit ${model.architecture.name}: ${problem}`,
  );
}
