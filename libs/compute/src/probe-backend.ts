import { FidelisError } from '@fidelis/contracts';
import { reasonOf, type BackendReport } from './backend-report.js';
import { ComputeChild } from './compute-child.js';
import type { BackendOptions } from './start-backend.js';

/** The same from `src` and from `dist`: what is forked is always the build. */
const PROBE = new URL('../dist/probe-child.js', import.meta.url);

/**
 * Which backend a compute process would use, and why; found out in a child, so that TensorFlow is not loaded into this process and a
 * library that crashes on this machine is an answer too. It looks for a GPU, as a process placed on one does.
 *
 * @throws FidelisError COMPUTE.UNAVAILABLE
 */
export async function probeBackend(options: BackendOptions = {}): Promise<BackendReport> {
  try {
    return await probe(options);
  } catch (error) {
    const crashed = FidelisError.is(error) && error.code === 'TRAINING.CHILD_EXITED';
    if (!crashed) throw error;
    const failure = { what: 'native TensorFlow', ok: false, reason: reasonOf(error) };
    if (options.preference === 'auto' || options.preference === undefined) {
      const report = await probe({ ...options, preference: 'wasm' });
      return { ...report, attempts: [failure, ...report.attempts] };
    }
    throw new FidelisError('COMPUTE.UNAVAILABLE', error.message, {
      details: { attempts: [failure] },
      cause: error,
    });
  }
}

async function probe(options: BackendOptions): Promise<BackendReport> {
  const child = ComputeChild.spawn<BackendOptions, BackendReport>(PROBE, {
    env: { FIDELIS_PLACEMENT: 'gpu' },
    onStderrLine: () => undefined,
  });
  await child.send(options);
  let report: BackendReport | undefined;
  for await (const message of child.messages) report = message;
  await child.exit;
  if (report === undefined) throw new FidelisError('INTERNAL', 'the probe ended without an answer');
  return report;
}
