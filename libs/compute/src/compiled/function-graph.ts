import { randomUUID } from 'node:crypto';
import type { NativeBinding } from '../native-kernels.js';
import { encodeGraph } from './graph-messages.js';
import type { LoadGraph } from './loaded-graph.js';

/**
 * As a function of the eager context, which runs like any operation: with tensors where they are, so that what a step hands to the next
 * stays on the GPU.
 *
 * @returns undefined where the addon lacks the entry points
 */
export function functionGraphs(binding: NativeBinding): LoadGraph | undefined {
  const { registerFunction, removeFunction } = binding;
  if (registerFunction === undefined || removeFunction === undefined) return undefined;
  return ({ nodes, inputs, outputs }) => {
    // TensorFlow takes a name that it knows for the function that it knows.
    const name = `fidelis_function_${randomUUID().replaceAll('-', '_')}`;
    const fetched = tensorsOf(outputs);
    registerFunction(encodeGraph(nodes), name, tensorsOf(inputs), fetched);
    return {
      run: (inputIds) => binding.executeOp(name, [], inputIds, fetched.length),
      dispose: () => removeFunction(name),
    };
  };
}

function tensorsOf(endpoints: Readonly<Record<string, { readonly tensor: string }>>): readonly string[] {
  return Object.values(endpoints).map(({ tensor }) => tensor);
}
