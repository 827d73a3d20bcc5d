import type { OutputInfo } from '../native-kernels.js';
import type { Recording } from './operation-recorder.js';

/** A recording that TensorFlow has taken over. */
export interface LoadedGraph {
  /** @param inputIds the addon's ids of the inputs' tensors, in the order of the recording's inputs */
  run(inputIds: readonly number[]): OutputInfo[];
  /** Frees it. */
  dispose(): void;
}

/** How a recording becomes something that runs. */
export type LoadGraph = (recording: Recording) => LoadedGraph;
