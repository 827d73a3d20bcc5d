import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { FidelisError } from '@fidelis/contracts';
import type { ComputeDevice } from './backend-report.js';
import { deviceInUse } from './compute-device.js';
import { registerNativeImageKernels } from './native-image-kernels.js';
import { registerNativeRecurrentKernels } from './native-recurrent-kernels.js';
import { registerNativeKernels, type NativeBackend } from './native-kernels.js';

export interface NativeStart {
  readonly version: string;
  readonly device: ComputeDevice;
}

/**
 * Loads tfjs-node's addon, and with it TensorFlow's C library, into this process.
 *
 * TensorFlow reads its thread counts from the environment once, when its first operation runs: another count in the same
 * process is refused.
 *
 * @param threads intra-op threads; inter-op is always one, so that operations run in the order of the calls
 * @returns TensorFlow's version, and where it computes
 * @throws whatever kept the addon from loading
 */
export async function loadNativeBackend(threads: number): Promise<NativeStart> {
  const loaded = tf.findBackend('tensorflow') as unknown as NativeBackend | null;
  const fixed = process.env['TF_NUM_INTRAOP_THREADS'];
  if (loaded !== null && fixed !== String(threads)) {
    throw new FidelisError(
      'COMPUTE.UNAVAILABLE',
      `TensorFlow already runs with ${fixed ?? 'its own number of'} threads in this process; start another process for ${threads}`,
    );
  }
  process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  process.env['TF_NUM_INTEROP_THREADS'] = '1';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  // TensorFlow decides by itself for oneDNN only where it finds AVX-512 with VNNI: with AVX2 alone a LeNet-5's step takes three times as long without it.
  if (process.arch === 'x64') process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  restoreUtilFunctions();
  await import('@tensorflow/tfjs-node');
  if (!(await tf.setBackend('tensorflow'))) throw new Error('TensorFlow.js refused the backend "tensorflow"');
  const backend = tf.backend() as unknown as NativeBackend;
  registerNativeKernels(backend);
  registerNativeImageKernels(backend);
  registerNativeRecurrentKernels(backend);
  const { binding } = backend;
  return {
    version: binding.TF_Version,
    device: deviceInUse(binding.listDevices?.(), binding.isUsingGpuDevice()),
  };
}

/** tfjs-node 4.22 calls two functions of `util` that Node 23 removed. */
function restoreUtilFunctions(): void {
  const removed = {
    isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
    isArray: (value: unknown): boolean => Array.isArray(value),
  };
  for (const [name, replacement] of Object.entries(removed)) {
    if (!(name in util)) Object.defineProperty(util, name, { value: replacement, configurable: true });
  }
}
