import protobuf from 'protobufjs/minimal.js';

/**
 * The parts of TensorFlow's protocol buffers that a graph of operations needs (tensorflow/core/framework: graph.proto, node_def.proto,
 * attr_value.proto, tensor.proto; core/protobuf: meta_graph.proto, saved_model.proto). Field numbers are those files'.
 */

export type AttributeValue =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'type'; readonly value: number }
  | { readonly kind: 'shape'; readonly value: readonly number[] }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'bools'; readonly value: readonly boolean[] }
  | { readonly kind: 'tensor'; readonly value: TensorConstant };

/** A constant. Row-major values, or one value that stands for a tensor of equal ones. */
export interface TensorConstant {
  /** TensorFlow's DataType. */
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array | Uint8Array;
}

export interface GraphNode {
  readonly name: string;
  readonly operation: string;
  /** `<node>:<output>` */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** A tensor of the graph that is fed or fetched. */
export interface GraphEndpoint {
  /** `<node>:<output>` */
  readonly tensor: string;
  readonly dtype: number;
  readonly shape: readonly number[];
}

export interface GraphSignature {
  readonly inputs: Readonly<Record<string, GraphEndpoint>>;
  readonly outputs: Readonly<Record<string, GraphEndpoint>>;
}

/** The tag under which a graph is found in its file. */
export const SERVING_TAG = 'serve';

const SIGNATURE = 'serving_default';
const SAVED_MODEL_VERSION = 1;
/** Version of the graph format: that of TensorFlow 2.0, which every later one reads. */
const GRAPH_PRODUCER = 134;

/** A SavedModel without variables: the bytes of its `saved_model.pb`. */
export function encodeSavedModel(nodes: readonly GraphNode[], signature: GraphSignature): Uint8Array {
  const model = protobuf.Writer.create();
  model.uint32(tag(1, VARINT)).int32(SAVED_MODEL_VERSION);
  nested(model, 2, (metaGraph) => {
    nested(metaGraph, 1, (information) => information.uint32(tag(4, BYTES)).string(SERVING_TAG));
    nested(metaGraph, 2, (graph) => writeGraph(graph, nodes));
    entry(metaGraph, 5, SIGNATURE, (into) => writeSignature(into, signature));
  });
  return model.finish();
}

/** The operations alone: the bytes of a GraphDef. */
export function encodeGraph(nodes: readonly GraphNode[]): Uint8Array {
  const graph = protobuf.Writer.create();
  writeGraph(graph, nodes);
  return graph.finish();
}

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

function nested(into: protobuf.Writer, field: number, write: (inner: protobuf.Writer) => unknown): void {
  into.uint32(tag(field, BYTES)).fork();
  write(into);
  into.ldelim();
}

/** An entry of a map from strings to messages. */
function entry(
  into: protobuf.Writer,
  field: number,
  key: string,
  write: (inner: protobuf.Writer) => unknown,
): void {
  nested(into, field, (pair) => {
    pair.uint32(tag(1, BYTES)).string(key);
    nested(pair, 2, write);
  });
}

function writeGraph(into: protobuf.Writer, nodes: readonly GraphNode[]): void {
  for (const node of nodes) nested(into, 1, (inner) => writeNode(inner, node));
  nested(into, 4, (versions) => versions.uint32(tag(1, VARINT)).int32(GRAPH_PRODUCER));
}

function writeNode(into: protobuf.Writer, node: GraphNode): void {
  into.uint32(tag(1, BYTES)).string(node.name);
  into.uint32(tag(2, BYTES)).string(node.operation);
  for (const input of node.inputs) into.uint32(tag(3, BYTES)).string(input);
  for (const [name, value] of Object.entries(node.attributes)) {
    entry(into, 5, name, (attribute) => writeAttribute(attribute, value));
  }
}

function writeAttribute(into: protobuf.Writer, attribute: AttributeValue): void {
  switch (attribute.kind) {
    case 'string':
      into.uint32(tag(2, BYTES)).string(attribute.value);
      return;
    case 'int':
      into.uint32(tag(3, VARINT)).int64(attribute.value);
      return;
    case 'float':
      into.uint32(tag(4, FIXED32)).float(attribute.value);
      return;
    case 'bool':
      into.uint32(tag(5, VARINT)).bool(attribute.value);
      return;
    case 'type':
      into.uint32(tag(6, VARINT)).int32(attribute.value);
      return;
    case 'shape':
      nested(into, 7, (shape) => writeShape(shape, attribute.value));
      return;
    case 'ints':
    case 'floats':
    case 'bools':
      nested(into, 1, (list) => writeList(list, attribute));
      return;
    case 'tensor':
      nested(into, 8, (tensor) => writeTensor(tensor, attribute.value));
  }
}

function writeList(
  into: protobuf.Writer,
  list: Extract<AttributeValue, { kind: 'ints' | 'floats' | 'bools' }>,
): void {
  if (list.kind === 'ints') for (const value of list.value) into.uint32(tag(3, VARINT)).int64(value);
  else if (list.kind === 'floats') for (const value of list.value) into.uint32(tag(4, FIXED32)).float(value);
  else for (const value of list.value) into.uint32(tag(5, VARINT)).bool(value);
}

function writeShape(into: protobuf.Writer, shape: readonly number[]): void {
  for (const length of shape) nested(into, 2, (dimension) => dimension.uint32(tag(1, VARINT)).int64(length));
}

function writeTensor(into: protobuf.Writer, { dtype, shape, values }: TensorConstant): void {
  into.uint32(tag(1, VARINT)).int32(dtype);
  nested(into, 2, (inner) => writeShape(inner, shape));
  const [first = 0] = values;
  // TensorFlow repeats the last value of these fields up to the shape's size; of raw content it wants every byte.
  if (values.length > 1) {
    into.uint32(tag(4, BYTES)).bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  } else if (values instanceof Float32Array) into.uint32(tag(5, FIXED32)).float(first);
  else if (values instanceof Int32Array) into.uint32(tag(7, VARINT)).int32(first);
  else into.uint32(tag(11, VARINT)).bool(first !== 0);
}

function writeSignature(into: protobuf.Writer, { inputs, outputs }: GraphSignature): void {
  for (const [name, endpoint] of Object.entries(inputs)) {
    entry(into, 1, name, (information) => writeEndpoint(information, endpoint));
  }
  for (const [name, endpoint] of Object.entries(outputs)) {
    entry(into, 2, name, (information) => writeEndpoint(information, endpoint));
  }
  into.uint32(tag(3, BYTES)).string('tensorflow/serving/predict');
}

function writeEndpoint(into: protobuf.Writer, { tensor, dtype, shape }: GraphEndpoint): void {
  into.uint32(tag(1, BYTES)).string(tensor);
  into.uint32(tag(2, VARINT)).int32(dtype);
  nested(into, 3, (inner) => writeShape(inner, shape));
}
