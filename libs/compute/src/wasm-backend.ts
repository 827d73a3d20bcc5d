import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { registerWasmInferenceKernels } from './wasm-inference-kernels.js';
import { registerWasmKernels } from './wasm-kernels.js';

/**
 * Starts the wasm backend, single-threaded: its results are then the same on every machine with SIMD.
 *
 * @returns version of the wasm backend
 * @throws whatever kept the module from starting
 */
export async function loadWasmBackend(): Promise<string> {
  const before = ERROR_EVENTS.map((event) => process.rawListeners(event));
  const { setWasmPaths, version_wasm: version } = await import('@tensorflow/tfjs-backend-wasm');
  if (tf.findBackend('wasm') === null) {
    // The package looks for its binaries beside the script that was started, which is not where they are.
    const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(dirname(entry) + sep);
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  }
  if (!(await tf.setBackend('wasm'))) throw new Error('TensorFlow.js refused the backend "wasm"');
  ERROR_EVENTS.forEach((event, i) => removeAddedListeners(event, before[i] ?? []));
  registerWasmKernels();
  registerWasmInferenceKernels();
  return version;
}

/** Emscripten's start-up code takes over both, and re-throws from within itself: stack and exit path of every error would be its own. */
const ERROR_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

function removeAddedListeners(event: string, before: readonly unknown[]): void {
  for (const listener of process.rawListeners(event)) {
    if (!before.includes(listener)) process.off(event, listener as (...values: unknown[]) => void);
  }
}
