import { cpus } from 'node:os';
import type { ComputeDevice } from './backend-report.js';
import type { NativeDevice } from './native-kernels.js';

/** The processor, as the system names it. */
export function processorDevice(): ComputeDevice {
  return { kind: 'cpu', name: cpus()[0]?.model.trim() ?? 'unknown processor' };
}

/**
 * Where tfjs-node puts its tensors: the last GPU of TensorFlow's list, else the processor.
 *
 * @param usesGpu what an addon says that has no list
 */
export function deviceInUse(devices: readonly NativeDevice[] | undefined, usesGpu: boolean): ComputeDevice {
  const gpu = devices?.findLast(({ type }) => type === 'GPU');
  if (gpu !== undefined) {
    return { kind: 'gpu', name: gpu.model ?? gpu.name, memoryBytes: gpu.memoryBytes };
  }
  return usesGpu ? { kind: 'gpu', name: 'GPU' } : processorDevice();
}
