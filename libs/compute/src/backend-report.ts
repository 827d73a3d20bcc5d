/** What is asked for: `auto` takes native TensorFlow where it works and wasm otherwise. */
export const BACKEND_PREFERENCES = ['auto', 'native', 'wasm'] as const;
export type BackendPreference = (typeof BACKEND_PREFERENCES)[number];

/** Names under which TensorFlow.js knows the two backends. */
export type BackendName = 'tensorflow' | 'wasm';

export interface BackendAttempt {
  /** For people: "native TensorFlow", "wasm". */
  readonly what: string;
  readonly ok: boolean;
  /** Why it failed, in one line. */
  readonly reason?: string;
}

/** What computes. */
export interface ComputeDevice {
  readonly kind: 'cpu' | 'gpu';
  /** What its driver or the system calls it. */
  readonly name: string;
  /** What TensorFlow may use of a GPU's own memory. */
  readonly memoryBytes?: number;
}

export interface BackendReport {
  readonly backend: BackendName;
  /** Of the library that computes: TensorFlow's, or the wasm backend's. */
  readonly version: string;
  /** Intra-op threads in use; the wasm backend has one. */
  readonly threads: number;
  readonly device: ComputeDevice;
  /** In the order in which they were made. The last one succeeded. */
  readonly attempts: readonly BackendAttempt[];
}

/** First line of an error's message: the rest is advice for another set-up than this one. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]?.trim() ?? '';
}
