import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NativeBackend } from '../native-kernels.js';
import { encodeSavedModel, SERVING_TAG } from './graph-messages.js';
import { GraphFiles } from './graph-files.js';
import { recordOperations } from './operation-recorder.js';

export type NamedTensors = Readonly<Record<string, Tensor>>;

/** Pure: its outputs depend on its inputs alone, and it disposes none of them. What it returns is the caller's. */
export type TensorFunction = (inputs: NamedTensors) => NamedTensors;

interface LoadedGraph {
  readonly session: number;
  readonly inputNames: readonly string[];
  readonly feeds: string;
  readonly outputNames: readonly string[];
  readonly fetches: string;
}

/** Called once per function, when it turns out that it runs eagerly. */
export type OnEager = (name: string, reason: string) => void;

/**
 * A function that runs as one TensorFlow graph. The first call with inputs of new shapes runs the function once eagerly to record its
 * operations, throws the eager outcome away, and runs the graph: so every result comes from the graph, also the first one, and where a
 * training was cut cannot be seen in its bits. A batch of another size (the last of an epoch) gets a graph of its own, once.
 */
export class CompiledFunction {
  private readonly graphs = new Map<string, LoadedGraph>();
  private reason: string | undefined;

  constructor(
    readonly name: string,
    private readonly body: TensorFunction,
    private readonly backend: NativeBackend,
    private readonly files: GraphFiles,
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
    const graph = this.graphFor(inputs);
    if (graph === undefined) return this.body(inputs);
    const { backend } = this;
    const fed = graph.inputNames.map((name) => requireTensor(inputs, name));
    const infos = backend.binding.runSavedModel(
      graph.session,
      backend.getInputTensorIds(fed),
      graph.feeds,
      graph.fetches,
    );
    const outputs: Record<string, Tensor> = {};
    infos.forEach((info, index) => {
      outputs[graph.outputNames[index] ?? ''] = backend.createOutputTensor(info);
    });
    return outputs;
  }

  /** Frees the graphs. */
  dispose(): void {
    for (const { session } of this.graphs.values()) this.backend.binding.deleteSavedModel(session);
    this.graphs.clear();
  }

  private graphFor(inputs: NamedTensors): LoadedGraph | undefined {
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

  private record(inputs: NamedTensors): LoadedGraph {
    const { backend } = this;
    const recording = tf.tidy(() => recordOperationsOf(backend, inputs, this.body));
    const place = this.files.place(encodeSavedModel(recording.nodes, recording));
    const session = backend.binding.loadSavedModel(place, SERVING_TAG);
    const inputNames = Object.keys(recording.inputs);
    const outputNames = Object.keys(recording.outputs);
    return {
      session,
      inputNames,
      outputNames,
      feeds: inputNames.map((name) => recording.inputs[name]?.tensor ?? '').join(','),
      fetches: outputNames.map((name) => recording.outputs[name]?.tensor ?? '').join(','),
    };
  }
}

/** Inside `tidy`, which frees what the eager run made; a recording holds no tensors. */
function recordOperationsOf(
  backend: NativeBackend,
  inputs: NamedTensors,
  body: TensorFunction,
): ReturnType<typeof recordOperations> & tf.TensorContainer {
  return recordOperations(backend, inputs, () => body(inputs)) as never;
}

function shapesOf(inputs: NamedTensors): string {
  return Object.entries(inputs)
    .map(([name, { shape, dtype }]) => `${name}:${dtype}[${shape.join(',')}]`)
    .join(' ');
}

function requireTensor(inputs: NamedTensors, name: string): Tensor {
  const tensor = inputs[name];
  if (tensor === undefined) throw new TypeError(`the function was recorded with an input "${name}"`);
  return tensor;
}
