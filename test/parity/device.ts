import { computeEnvironment, startBackend } from '@fidelis/compute';

/**
 * The suites compare on the processor, and once more on a GPU with FIDELIS_PARITY_DEVICE=gpu: there they skip themselves, saying so, if
 * TensorFlow finds none.
 */
const gpuWanted = process.env['FIDELIS_PARITY_DEVICE'] === 'gpu';

/** Why the suites that need native TensorFlow cannot run on the device that is asked for; undefined if they can. */
export async function nativeProblemOnDevice(): Promise<string | undefined> {
  Object.assign(
    process.env,
    computeEnvironment({ ...process.env, FIDELIS_PLACEMENT: gpuWanted ? 'gpu' : 'cpu' }),
  );
  try {
    const { device } = await startBackend({ preference: 'native' });
    return gpuWanted && device.kind !== 'gpu'
      ? `skipped: FIDELIS_PARITY_DEVICE=gpu, and TensorFlow finds no GPU beside ${device.name}`
      : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * A GPU adds in another order, and cuDNN's convolutions by Winograd or Fourier transforms round more often than a sum of products does:
 * its bounds are wider, by a decade unless said otherwise.
 */
export function toleranceOnDevice(cpu: number, gpu: number = 10 * cpu): number {
  return gpuWanted ? gpu : cpu;
}
