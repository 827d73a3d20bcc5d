/** Lets one consumer wait for what a producer brings, and counts the time. */
export class Arrival {
  private wake: (() => void) | undefined;
  private failure: { readonly error: unknown } | undefined;
  private waitedMs = 0;

  get waitSeconds(): number {
    return this.waitedMs / 1_000;
  }

  /** Something came: look again. */
  announce(): void {
    this.wake?.();
  }

  /** Nothing will come any more: who waits, now or later, gets the error. */
  fail(error: unknown): void {
    this.failure ??= { error };
    this.wake?.();
  }

  /** @throws what `fail` was given */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    const start = performance.now();
    try {
      while (!condition()) {
        if (this.failure !== undefined) throw this.failure.error;
        await new Promise<void>((resolve) => (this.wake = resolve));
        this.wake = undefined;
      }
    } finally {
      this.waitedMs += performance.now() - start;
    }
  }
}
