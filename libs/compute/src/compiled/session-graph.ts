import type { NativeBinding } from '../native-kernels.js';
import type { GraphFiles } from './graph-files.js';
import { encodeSavedModel, SERVING_TAG } from './graph-messages.js';
import type { LoadGraph } from './loaded-graph.js';

/**
 * As a session of a SavedModel, which every addon offers. Its inputs and outputs pass through this process's memory: for a processor they are
 * there anyway.
 */
export function sessionGraphs(binding: NativeBinding, files: GraphFiles): LoadGraph {
  return ({ nodes, inputs, outputs }) => {
    const place = files.place(encodeSavedModel(nodes, { inputs, outputs }));
    const session = binding.loadSavedModel(place, SERVING_TAG);
    const feeds = tensorsOf(inputs);
    const fetches = tensorsOf(outputs);
    return {
      run: (inputIds) => binding.runSavedModel(session, inputIds, feeds, fetches),
      dispose: () => binding.deleteSavedModel(session),
    };
  };
}

function tensorsOf(endpoints: Readonly<Record<string, { readonly tensor: string }>>): string {
  return Object.values(endpoints)
    .map(({ tensor }) => tensor)
    .join(',');
}
