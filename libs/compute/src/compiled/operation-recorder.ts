import type { Tensor } from '@tensorflow/tfjs-core';
import type { NativeBackend, NativeBinding, OperationAttribute, OutputInfo } from '../native-kernels.js';
import type { AttributeValue, GraphEndpoint, GraphNode, TensorConstant } from './graph-messages.js';
import type { ShapeInference } from './shape-inference.js';

/** A function that cannot become a graph: it runs eagerly instead. The message says why. */
export class NotRecordable extends Error {}

/** What a recording leaves: the operations, in an order in which they can run. */
export interface Recording {
  readonly nodes: readonly GraphNode[];
  readonly inputs: Readonly<Record<string, GraphEndpoint>>;
  readonly outputs: Readonly<Record<string, GraphEndpoint>>;
}

/**
 * Runs `body` once and writes down what it asks of TensorFlow. Every kernel of tfjs-node goes through its backend's `binding`, which
 * is frozen: for the time of the recording the backend gets another that looks the same. Tensors are followed by the addon's ids, which
 * are never used twice.
 *
 * @param inputs become placeholders; they are uploaded first, so that they have an id
 * @param inference tells the shapes of what the operations would give: nothing is computed. Without it they run, eagerly
 * @param body must depend on nothing but them: a tensor from elsewhere would be frozen into the graph
 * @throws NotRecordable where the body reads a value of a tensor, or uses one that is neither an input nor its own
 * @throws UnknownShape where the inference does not know enough
 */
export function recordOperations(
  backend: NativeBackend,
  inputs: Readonly<Record<string, Tensor>>,
  body: () => Readonly<Record<string, Tensor>>,
  inference?: ShapeInference,
): Recording {
  const recorder = new OperationRecorder(backend.binding, inference);
  const placeholders: Record<string, GraphEndpoint> = {};
  for (const [name, tensor] of Object.entries(inputs)) {
    const [id] = backend.getInputTensorIds([tensor]);
    if (id === undefined) throw new NotRecordable(`input "${name}" could not be uploaded`);
    const dtype = backend.getDTypeInteger(tensor.dtype);
    placeholders[name] = recorder.placeholder(id, name, dtype, tensor.shape);
  }
  const original = backend.binding;
  const move = backend.move.bind(backend);
  backend.binding = recorder.facade();
  backend.move = (dataId, values, ...rest) => {
    recorder.made(values);
    move(dataId, values, ...rest);
  };
  try {
    const outputs: Record<string, GraphEndpoint> = {};
    for (const [name, tensor] of Object.entries(body())) {
      const [id] = backend.getInputTensorIds([tensor]);
      if (id === undefined) throw new NotRecordable(`output "${name}" has no value`);
      const dtype = backend.getDTypeInteger(tensor.dtype);
      const produced = recorder.outputOf(id, name, dtype);
      outputs[name] = { tensor: produced, dtype, shape: tensor.shape };
    }
    return { nodes: recorder.nodes, inputs: placeholders, outputs };
  } finally {
    backend.binding = original;
    Reflect.deleteProperty(backend, 'move');
  }
}

class OperationRecorder {
  readonly nodes: GraphNode[] = [];
  /** `<node>:<output>` by the id of the tensor. */
  private readonly produced = new Map<number, string>();
  private readonly fed = new Set<string>();
  /** Values that the function itself made tensors of: others that are uploaded are of a tensor from elsewhere. */
  private readonly ownValues = new WeakSet<object>();

  constructor(
    private readonly binding: NativeBinding,
    private readonly inference: ShapeInference | undefined,
  ) {}

  facade(): NativeBinding {
    return Object.create(this.binding, {
      executeOp: { value: this.executeOp.bind(this) },
      createTensor: { value: this.createTensor.bind(this) },
      // Kernels free what they make for themselves; what was never computed is not there to be freed.
      deleteTensor: { value: (id: number) => void (id >= 0 && this.binding.deleteTensor(id)) },
      tensorDataSync: {
        value: () => {
          throw new NotRecordable('it reads the values of a tensor while it runs');
        },
      },
    }) as NativeBinding;
  }

  made(values: unknown): void {
    if (typeof values === 'object' && values !== null) this.ownValues.add(values);
  }

  placeholder(id: number, input: string, dtype: number, shape: readonly number[]): GraphEndpoint {
    if (this.produced.has(id)) throw new NotRecordable(`input "${input}" is the same tensor as another one`);
    const tensor = this.add(`input_${input}`, 'Placeholder', [], {
      dtype: { kind: 'type', value: dtype },
      shape: { kind: 'shape', value: shape },
    });
    this.produced.set(id, tensor);
    this.fed.add(tensor);
    this.inference?.know(tensor, dtype, shape);
    return { tensor, dtype, shape };
  }

  tensorOf(id: number, user: string): string {
    const tensor = this.produced.get(id);
    if (tensor === undefined) throw foreign(user);
    return tensor;
  }

  /** An input that is also an output goes through an operation: TensorFlow fetches nothing that is fed. */
  outputOf(id: number, output: string, dtype: number): string {
    const tensor = this.tensorOf(id, `output "${output}"`);
    if (!this.fed.has(tensor)) return tensor;
    return this.add(`output_${output}`, 'Identity', [tensor], { T: { kind: 'type', value: dtype } });
  }

  private executeOp(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputIds: readonly number[],
    outputCount: number,
  ): OutputInfo[] {
    const encoded = Object.fromEntries(
      attributes.map((attribute) => [attribute.name, this.attributeValue(operation, attribute)]),
    );
    const node: GraphNode = {
      name: `${operation}_${this.nodes.length}`,
      operation,
      inputs: inputIds.map((id) => this.tensorOf(id, operation)),
      attributes: encoded,
    };
    const outputs =
      this.inference?.outputsOf(node, outputCount) ??
      this.binding.executeOp(operation, attributes, inputIds, outputCount);
    this.nodes.push(node);
    outputs.forEach(({ id }, index) => this.produced.set(id, `${node.name}:${index}`));
    return outputs;
  }

  private createTensor(
    shape: readonly number[],
    dtype: number,
    values: TensorConstant['values'] | readonly unknown[],
  ): number {
    const { TF_FLOAT, TF_INT32, TF_BOOL } = this.binding;
    if (![TF_FLOAT, TF_INT32, TF_BOOL].includes(dtype) || !ArrayBuffer.isView(values)) {
      throw new NotRecordable(`it makes a constant of TensorFlow's data type ${dtype}`);
    }
    if (!this.ownValues.has(values)) throw foreign('it');
    const id = this.inference?.nextId() ?? this.binding.createTensor(shape, dtype, values);
    const tensor = this.add(`Const_${this.nodes.length}`, 'Const', [], {
      dtype: { kind: 'type', value: dtype },
      value: {
        kind: 'tensor',
        value: { dtype, shape, values: compacted(values) },
      },
    });
    this.inference?.know(tensor, dtype, shape, this.nodes.at(-1));
    this.produced.set(id, tensor);
    return id;
  }

  private add(
    name: string,
    operation: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
  ): string {
    this.nodes.push({ name, operation, inputs, attributes });
    return `${name}:0`;
  }

  private attributeValue(operation: string, { name, type, value }: OperationAttribute): AttributeValue {
    const { binding } = this;
    const many = Array.isArray(value);
    switch (type) {
      case binding.TF_ATTR_STRING:
        return { kind: 'string', value: String(value) };
      case binding.TF_ATTR_BOOL:
        return { kind: 'bool', value: value === true };
      case binding.TF_ATTR_TYPE:
        return { kind: 'type', value: Number(value) };
      case binding.TF_ATTR_SHAPE:
        return { kind: 'shape', value: numbersOf(value) };
      case binding.TF_ATTR_INT:
        return many ? { kind: 'ints', value: numbersOf(value) } : { kind: 'int', value: Number(value) };
      case binding.TF_ATTR_FLOAT:
        return many ? { kind: 'floats', value: numbersOf(value) } : { kind: 'float', value: Number(value) };
      default:
        throw new NotRecordable(`attribute "${name}" of ${operation} has an unknown type (${type})`);
    }
  }
}

function foreign(user: string): NotRecordable {
  return new NotRecordable(
    `${user} uses a tensor that is not among the inputs and was not made by the function`,
  );
}

function numbersOf(value: OperationAttribute['value']): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

/** A copy (the buffer is the caller's), of one value where all are equal bit for bit. */
function compacted(values: TensorConstant['values']): TensorConstant['values'] {
  const [first] = values;
  const uniform = values.length > 1 && values.every((value) => Object.is(value, first));
  return uniform ? values.slice(0, 1) : values.slice();
}
