/** The same items; once `signal` aborts, its reason at once, even while the next item is being waited for. */
export async function* abortable<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted();
  let refuse: (reason: unknown) => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  // Nobody may be waiting when it aborts.
  aborted.catch(() => undefined);
  const onAbort = (): void => refuse(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // An item that is being waited for may never come: its source is told to stop, and not waited for.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
