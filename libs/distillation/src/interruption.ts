import { FidelisError } from '@fidelis/contracts';

/** Lets a training be stopped between two steps, or while it waits: one listener for all of its waits, which are as many as its steps. */
export class Interruption {
  private interrupt: ((error: FidelisError) => void) | undefined;

  /** @param signal without one nothing interrupts */
  constructor(private readonly signal: AbortSignal | undefined) {
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** @throws the signal's reason if it is a FidelisError, else RUN.CANCELLED */
  throwIfInterrupted(): void {
    const { signal } = this;
    if (signal?.aborted === true) throw interruptionOf(signal);
  }

  /**
   * What the promise comes to, unless the signal comes first. One wait at a time.
   *
   * @throws what the promise rejects with; as `throwIfInterrupted`
   */
  async wait<Result>(promise: Promise<Result>): Promise<Result> {
    if (this.signal === undefined) return promise;
    try {
      return await new Promise<Result>((resolve, reject) => {
        this.interrupt = reject;
        promise.then(resolve, reject);
      });
    } finally {
      this.interrupt = undefined;
    }
  }

  dispose(): void {
    this.signal?.removeEventListener('abort', this.onAbort);
  }

  private readonly onAbort = (): void => {
    if (this.signal !== undefined) this.interrupt?.(interruptionOf(this.signal));
  };
}

function interruptionOf({ reason }: AbortSignal): FidelisError {
  if (FidelisError.is(reason)) return reason;
  return new FidelisError('RUN.CANCELLED', 'the training was asked to stop', { cause: reason });
}
