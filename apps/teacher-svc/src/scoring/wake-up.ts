/** Wakes one sleeper, however often it is called while that one is awake. */
export class WakeUp {
  private called = false;
  private wake: (() => void) | undefined;

  now(): void {
    this.called = true;
    this.wake?.();
  }

  /** Resolves at the next call, or at once if there was one since the last time. */
  async next(): Promise<void> {
    if (!this.called) await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
    this.called = false;
  }
}
