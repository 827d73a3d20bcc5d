import type { NativeBinding, OutputInfo } from '../native-kernels.js';
import { encodeGraph, type AttributeValue, type GraphNode } from './graph-messages.js';

/** TensorFlow cannot tell the shape of a tensor without computing: the operations have to be run to be recorded. */
export class UnknownShape extends Error {}

/** Constants up to this length are shown to shape functions, which read sizes, axes and permutations from them; the longest are the sizes of all of a network's tensors. */
const LONGEST_SHOWN = 4_096;

/**
 * Outputs whose shape TensorFlow does not tell and nobody needs: kernels write notes to their own gradient kernel there.
 */
const OPAQUE_OUTPUTS: Readonly<Record<string, readonly number[]>> = { FusedBatchNormV3: [5] };

interface KnownTensor {
  readonly dtype: number;
  /** Of an opaque output, none. */
  readonly shape: readonly number[] | undefined;
  readonly constant: GraphNode | undefined;
}

/**
 * Tells what operations give without running them, so that recording a step takes neither its time nor its memory (the activations of an eager
 * run are twice what the graph needs). The tensors get ids below zero, which the backend takes for tensors that hold nothing.
 */
export class ShapeInference {
  /** By `<node>:<output>`. */
  private readonly tensors = new Map<string, KnownTensor>();
  private lastId = 0;

  constructor(private readonly infer: NonNullable<NativeBinding['inferShapes']>) {}

  nextId(): number {
    this.lastId -= 1;
    return this.lastId;
  }

  /** @param constant the node, if that is what the tensor is */
  know(tensor: string, dtype: number, shape: readonly number[], constant?: GraphNode): void {
    this.tensors.set(tensor, { dtype, shape, constant: constant && shown(constant) });
  }

  /**
   * @throws UnknownShape
   * @throws Error what TensorFlow says of operands that do not fit
   */
  outputsOf(node: GraphNode, count: number): OutputInfo[] {
    const outputs = this.infer(encodeGraph(this.surroundings(node)), node.name);
    if (outputs.length !== count) {
      throw new UnknownShape(`${node.operation} has ${outputs.length} outputs, not ${count}`);
    }
    return outputs.map((output, index) => {
      const shape = output.shape ?? this.opaqueShape(node.operation, index);
      this.tensors.set(`${node.name}:${index}`, {
        dtype: output.dtype,
        shape: output.shape,
        constant: undefined,
      });
      return { id: this.nextId(), dtype: output.dtype, shape };
    });
  }

  /** The node, its constants and placeholders for its other operands. */
  private surroundings(node: GraphNode): readonly GraphNode[] {
    const operands = new Map<string, GraphNode>();
    const inputs = node.inputs.map((input) => {
      const operand = operands.get(input) ?? this.operand(input, `operand_${operands.size}`);
      operands.set(input, operand);
      return `${operand.name}:0`;
    });
    return [...operands.values(), { ...node, inputs }];
  }

  private operand(input: string, name: string): GraphNode {
    const known = this.tensors.get(input);
    if (known === undefined) throw new UnknownShape(`nothing is known of ${input}`);
    if (known.constant !== undefined) return known.constant;
    const attributes: Record<string, AttributeValue> = { dtype: { kind: 'type', value: known.dtype } };
    if (known.shape !== undefined) attributes['shape'] = { kind: 'shape', value: known.shape };
    return { name, operation: 'Placeholder', inputs: [], attributes };
  }

  private opaqueShape(operation: string, index: number): readonly number[] {
    if (OPAQUE_OUTPUTS[operation]?.includes(index) === true) return [0];
    throw new UnknownShape(`the shape of output ${index} of ${operation} depends on values`);
  }
}

function shown(node: GraphNode): GraphNode | undefined {
  const value = node.attributes['value'];
  return value?.kind === 'tensor' && value.value.values.length <= LONGEST_SHOWN ? node : undefined;
}
