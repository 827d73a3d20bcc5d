import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NativeBackend } from '../native-kernels.js';
import type { LoadedGraph, LoadGraph } from './loaded-graph.js';
import { recordOperations, type Recording } from './operation-recorder.js';
import { ShapeInference, UnknownShape } from './shape-inference.js';

export type NamedTensors = Readonly<Record<string, Tensor>>;

/** Pure: its outputs depend on its inputs alone, and it disposes none of them. What it returns is the caller's. */
export type TensorFunction = (inputs: NamedTensors) => NamedTensors;

interface NamedGraph {
  readonly graph: LoadedGraph;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/** Called once per function, when it turns out that it runs eagerly. */
export type OnEager = (name: string, reason: string) => void;

/**
 * A function that runs as one TensorFlow graph. The first call with inputs of new shapes records the function's operations, and then the
 * graph runs: so every result comes from the graph, also the first one, and where a training was cut cannot be seen in its bits. A
 * batch of another size (the last of an epoch) gets a graph of its own, once.
 */
export class CompiledFunction {
  private readonly graphs = new Map<string, NamedGraph>();
  private reason: string | undefined;

  constructor(
    readonly name: string,
    private readonly body: TensorFunction,
    private readonly backend: NativeBackend,
    private readonly load: LoadGraph,
    private readonly onEager: OnEager,
  ) {}

  /** Graphs so far: one for each combination of input shapes. */
  get graphCount(): number {
    return this.graphs.size;
  }

  /** Why it runs eagerly, if it does. */
  get eagerReason(): string | undefined {
    return this.reason;
  }

  run(inputs: NamedTensors): NamedTensors {
    const named = this.graphFor(inputs);
    if (named === undefined) return this.body(inputs);
    const { backend } = this;
    const fed = named.inputNames.map((name) => requireTensor(inputs, name));
    const infos = named.graph.run(backend.getInputTensorIds(fed));
    const outputs: Record<string, Tensor> = {};
    infos.forEach((info, index) => {
      outputs[named.outputNames[index] ?? ''] = backend.createOutputTensor(info);
    });
    return outputs;
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const { graph } of this.graphs.values()) graph.dispose();
    this.graphs.clear();
  }

  private graphFor(inputs: NamedTensors): NamedGraph | undefined {
    if (this.reason !== undefined) return undefined;
    const shapes = shapesOf(inputs);
    const known = this.graphs.get(shapes);
    if (known !== undefined) return known;
    try {
      const graph = this.record(inputs);
      this.graphs.set(shapes, graph);
      return graph;
    } catch (error) {
      this.reason = error instanceof Error ? error.message : String(error);
      this.onEager(this.name, this.reason);
      return undefined;
    }
  }

  /** Without computing anything where TensorFlow tells every shape, else by running the function. */
  private recordingOf(inputs: NamedTensors): Recording {
    const { inferShapes } = this.backend.binding;
    try {
      const inference = inferShapes === undefined ? undefined : new ShapeInference(inferShapes);
      return tf.tidy(() => recordOperationsOf(this.backend, inputs, this.body, inference));
    } catch (error) {
      if (!(error instanceof UnknownShape)) throw error;
      return tf.tidy(() => recordOperationsOf(this.backend, inputs, this.body));
    }
  }

  private record(inputs: NamedTensors): NamedGraph {
    const recording = this.recordingOf(inputs);
    return {
      graph: this.load(recording),
      inputNames: Object.keys(recording.inputs),
      outputNames: Object.keys(recording.outputs),
    };
  }
}

/** Inside `tidy`, which frees what the recording made; it holds no tensors itself. */
function recordOperationsOf(
  backend: NativeBackend,
  inputs: NamedTensors,
  body: TensorFunction,
  inference?: ShapeInference,
): Recording & tf.TensorContainer {
  return recordOperations(backend, inputs, () => body(inputs), inference) as never;
}

/** The same whatever the order of the names: what a step gave is not ordered as what it was first given. */
function shapesOf(inputs: NamedTensors): string {
  return Object.entries(inputs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { shape, dtype }]) => `${name}:${dtype}[${shape.join(',')}]`)
    .join(' ');
}

function requireTensor(inputs: NamedTensors, name: string): Tensor {
  const tensor = inputs[name];
  if (tensor === undefined) throw new TypeError(`the function was recorded with an input "${name}"`);
  return tensor;
}
