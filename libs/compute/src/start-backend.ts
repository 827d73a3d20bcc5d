import { FidelisError } from '@fidelis/contracts';
import {
  reasonOf,
  type BackendAttempt,
  type BackendPreference,
  type BackendReport,
} from './backend-report.js';
import { processorDevice } from './compute-device.js';
import { loadNativeBackend } from './native-backend.js';
import { loadWasmBackend } from './wasm-backend.js';

export interface BackendOptions {
  /** @default 'auto' */
  readonly preference?: BackendPreference;
  /**
   * Intra-op threads of native TensorFlow. Part of a result's identity: results are bit-identical for equal counts only.
   * The wasm backend has one thread, whatever is asked for.
   *
   * @default 1
   */
  readonly threads?: number;
}

/**
 * Starts the tensor backend of this process: every operation of `@tensorflow/tfjs-core` runs on it from then on.
 *
 * @throws FidelisError COMPUTE.UNAVAILABLE if nothing that was asked for works; `details.attempts` says what was tried
 */
export async function startBackend(options: BackendOptions = {}): Promise<BackendReport> {
  const { preference = 'auto', threads = 1 } = options;
  const attempts: BackendAttempt[] = [];
  if (preference !== 'wasm') {
    const native = await attempt(attempts, 'native TensorFlow', () => loadNativeBackend(threads));
    if (native !== undefined) return { backend: 'tensorflow', ...native, threads, attempts };
  }
  if (preference !== 'native') {
    const version = await attempt(attempts, 'wasm', loadWasmBackend);
    if (version !== undefined)
      return { backend: 'wasm', version, threads: 1, device: processorDevice(), attempts };
  }
  const tried = attempts.map(({ what, reason }) => `${what}: ${reason ?? 'failed'}`).join('; ');
  throw new FidelisError(
    'COMPUTE.UNAVAILABLE',
    `no tensor backend could be started (${tried}). Run "npm run setup", then "fidelis doctor".`,
    { details: { attempts } },
  );
}

async function attempt<T>(
  attempts: BackendAttempt[],
  what: string,
  load: () => Promise<T>,
): Promise<T | undefined> {
  try {
    const started = await load();
    attempts.push({ what, ok: true });
    return started;
  } catch (error) {
    attempts.push({ what, ok: false, reason: reasonOf(error) });
    return undefined;
  }
}
