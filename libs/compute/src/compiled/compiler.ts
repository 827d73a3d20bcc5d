import * as tf from '@tensorflow/tfjs-core';
import type { NativeBackend } from '../native-kernels.js';
import {
  CompiledFunction,
  type NamedTensors,
  type OnEager,
  type TensorFunction,
} from './compiled-function.js';
import { functionGraphs } from './function-graph.js';
import { GraphFiles } from './graph-files.js';
import { sessionGraphs } from './session-graph.js';

/** A function that may run as one graph. */
export interface RunnableFunction {
  run(inputs: NamedTensors): NamedTensors;
  dispose(): void;
}

export interface CompilerOptions {
  /** Where graphs are kept if TensorFlow takes them from files only; any process of this user may share it. */
  readonly directory: string;
  /** Told once per function that does not become a graph, and why. @default nobody */
  readonly onEager?: OnEager;
}

/** Makes graphs of functions on the native backend; on another one functions stay as they are. */
export class Compiler {
  private readonly files: GraphFiles;
  private readonly onEager: OnEager;

  constructor({ directory, onEager = () => undefined }: CompilerOptions) {
    this.files = new GraphFiles(directory);
    this.onEager = onEager;
  }

  compile(name: string, body: TensorFunction): RunnableFunction {
    if (tf.getBackend() !== 'tensorflow') {
      this.onEager(name, `the ${tf.getBackend()} backend has no graphs`);
      return eagerFunction(body);
    }
    const backend = tf.backend() as unknown as NativeBackend;
    const load = functionGraphs(backend.binding) ?? sessionGraphs(backend.binding, this.files);
    return new CompiledFunction(name, body, backend, load, this.onEager);
  }
}

/** The function itself, one operation after the other. */
export function eagerFunction(body: TensorFunction): RunnableFunction {
  return { run: (inputs) => body(inputs), dispose: () => undefined };
}
