import { setTimeout as sleep } from 'node:timers/promises';
import type { KV } from '@nats-io/kv';

/** How often the key is also read: the guard for a notification that was lost with a connection. */
const POLL_MS = 5_000;
const RETRY_MS = 500;

/**
 * Calls `onPut` once, when the key has a value or gets one.
 * @returns a function that ends the watch
 */
export function watchKey(bucket: KV, key: string, onPut: () => void): () => void {
  const stopped = new AbortController();
  const notify = (): void => {
    if (stopped.signal.aborted) return;
    stopped.abort();
    onPut();
  };
  void listen(bucket, key, notify, stopped.signal);
  void poll(bucket, key, notify, stopped.signal);
  return () => stopped.abort();
}

async function listen(bucket: KV, key: string, notify: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const entries = await bucket.watch({ key, ignoreDeletes: true });
      const stop = (): void => entries.stop();
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      for await (const entry of entries) if (entry.operation === 'PUT') notify();
      signal.removeEventListener('abort', stop);
    } catch {
      // Away; the next round, or the poll, sees it.
    }
    await pause(RETRY_MS, signal);
  }
}

async function poll(bucket: KV, key: string, notify: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(POLL_MS, signal);
    const entry = signal.aborted ? null : await bucket.get(key).catch(() => null);
    if (entry?.operation === 'PUT') notify();
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
