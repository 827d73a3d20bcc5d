import { FidelisError } from '@fidelis/contracts';
import type { BufferSpec, Model, ModelWeights, ParameterSpec } from './model.js';
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from './safetensors.js';
import { layoutConversion } from './tensor-layout.js';
import { torchNamings, torchTensorName } from './torch-names.js';
import { modelWeights, namedBuffers, namedParameters } from './weights.js';

/**
 * Names of PyTorch's tensors by ours, where they are not those of the architecture's namings: of a tensor (`dense.weight: head.weight`), or of
 * all tensors of a layer (`dense: head`; `stage1.block1.norm1: blocks.0.bn`).
 */
export type TensorNameMap = Readonly<Record<string, string>>;

/** PyTorch counts the batches that its normalisations saw; nothing here depends on it. */
const IGNORED = /(^|[^a-zA-Z])num_batches_tracked$/;

/**
 * Weights of PyTorch as this model's: tensors under PyTorch's names, in PyTorch's layouts.
 *
 * @throws FidelisError WEIGHTS.INVALID: not safetensors, a tensor missing, too many, or of another shape or type; REQUEST.INVALID for a
 *   map with a name that the model does not have
 */
export function importTorchWeights(model: Model, bytes: Uint8Array, map?: TensorNameMap): ModelWeights {
  const { tensors } = decodeSafetensors(bytes, { ignore: IGNORED });
  return fromTorch(model, tensors, map);
}

/** The weights as `importTorchWeights` reads them, under the first naming of the architecture: a round trip is exact, bit for bit. */
export function exportTorchWeights(
  model: Model,
  weights: ModelWeights,
  map?: TensorNameMap,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const [names] = namesByTheirs(model, map);
  const ours = [...namedParameters(model, weights.parameters), ...namedBuffers(model, weights.buffers)];
  const tensors = [...(names ?? new Map<string, TensorSpec>())].map(([name, spec], index): NamedTensor => {
    const conversion = layoutConversion(spec.shape, layoutOf(spec));
    const values = conversion.toTorch(ours[index]?.values ?? new Float32Array(0));
    return { name, shape: conversion.shape, values };
  });
  return encodeSafetensors({ tensors, metadata });
}

/**
 * Weights in either form, told apart by the names of their tensors: ours as `encodeWeights` writes them, else PyTorch's.
 *
 * @throws as `importTorchWeights`
 */
export function readWeights(model: Model, bytes: Uint8Array, map?: TensorNameMap): ModelWeights {
  const { tensors } = decodeSafetensors(bytes, { ignore: IGNORED });
  const present = new Set(tensors.map(({ name }) => name));
  const ours = [...model.parameters, ...model.buffers].filter(({ name }) => present.has(name)).length;
  const theirs = Math.max(
    ...namesByTheirs(model, map).map((names) => [...names.keys()].filter((name) => present.has(name)).length),
  );
  return map === undefined && ours > theirs ? modelWeights(model, tensors) : fromTorch(model, tensors, map);
}

type TensorSpec = ParameterSpec | BufferSpec;

function layoutOf(spec: TensorSpec): ParameterSpec['layout'] {
  return 'layout' in spec ? spec.layout : undefined;
}

function fromTorch(
  model: Model,
  tensors: readonly NamedTensor[],
  map: TensorNameMap | undefined,
): ModelWeights {
  const present = new Set(tensors.map(({ name }) => name));
  const missing = (names: ReadonlyMap<string, TensorSpec>): string[] =>
    [...names.keys()].filter((name) => !present.has(name));
  // Where none fits, the message is about the naming that comes nearest.
  const [names] = namesByTheirs(model, map).sort((a, b) => missing(a).length - missing(b).length);
  if (names === undefined) throw new RangeError('an architecture has a naming');
  const [absent] = missing(names);
  const extra = tensors.find(({ name }) => !names.has(name))?.name;
  if (absent !== undefined) {
    const found = extra === undefined ? '' : `, and "${extra}" is none of its tensors`;
    throw invalid(
      model,
      `tensor "${absent}" is missing${found}. If the file has other names, say which is which in a map: "our.name: their.name"`,
    );
  }
  if (extra !== undefined) throw invalid(model, `tensor "${extra}" is not one of its tensors`);
  const converted = tensors.map((tensor): NamedTensor => {
    const spec = names.get(tensor.name);
    if (spec === undefined) throw new RangeError(`no tensor of the model is "${tensor.name}"`);
    const conversion = layoutConversion(spec.shape, layoutOf(spec));
    const { shape } = conversion;
    if (shape.join() !== tensor.shape.join()) {
      throw invalid(
        model,
        `tensor "${tensor.name}" is [${tensor.shape.join(', ')}], not [${shape.join(', ')}] (ours: "${spec.name}")`,
      );
    }
    return { name: spec.name, shape: spec.shape, values: conversion.fromTorch(tensor.values) };
  });
  return modelWeights(model, converted);
}

/** The model's tensors by PyTorch's names, in the model's order: one map for each naming. */
function namesByTheirs(model: Model, map: TensorNameMap = {}): Map<string, TensorSpec>[] {
  const specs: readonly TensorSpec[] = [...model.parameters, ...model.buffers];
  refuseUnknown(model, specs, map);
  return torchNamings(model).map(({ module }) => {
    const mapped = (layer: string): string | undefined => map[layer] ?? module(layer);
    return new Map(
      specs.map((spec): [string, TensorSpec] => [
        map[spec.name] ?? torchTensorName(spec.name, mapped) ?? spec.name,
        spec,
      ]),
    );
  });
}

function refuseUnknown(model: Model, specs: readonly TensorSpec[], map: TensorNameMap): void {
  const known = new Set(specs.flatMap(({ name }) => [name, name.slice(0, name.lastIndexOf('.'))]));
  if (model.architecture.name === 'bilstm') known.add('lstm');
  const unknown = Object.keys(map).find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new FidelisError(
    'REQUEST.INVALID',
    `the map has "${unknown}", which is no tensor and no layer of ${model.architecture.name}; it has ${specs.map(({ name }) => name).join(', ')}`,
  );
}

function invalid(model: Model, problem: string): FidelisError {
  return new FidelisError(
    'WEIGHTS.INVALID',
    `these weights do not fit ${model.architecture.name}: ${problem}`,
  );
}

/**
 * Words of a text model, padding included, as a weights file of either form tells: the rows of its embedding.
 *
 * @throws FidelisError WEIGHTS.INVALID if it has none
 */
export function vocabularyOf(bytes: Uint8Array, map: TensorNameMap = {}): number {
  const names = [
    map['embedding.weight'],
    map['embedding'] === undefined ? undefined : `${map['embedding']}.weight`,
    'embedding.weight',
    'embed.weight',
  ];
  const { tensors } = decodeSafetensors(bytes, { ignore: IGNORED });
  const table = tensors.find(({ name }) => names.includes(name));
  if (table !== undefined) return table.shape[0] ?? 0;
  throw new FidelisError(
    'WEIGHTS.INVALID',
    'these weights have no embedding ("embedding.weight" or "embed.weight"). If the file has another name for it, say so in a map: "embedding: their.name"',
  );
}
