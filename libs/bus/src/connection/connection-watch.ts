import type { NatsConnection, QueuedIterator, Status } from '@nats-io/transport-node';

/**
 * Knows whether the connection is up. What is sent while it is down is lost without an error, so whoever waits for
 * answers of the server must ask again after each interruption.
 */
export class ConnectionWatch {
  private readonly interrupted = new Set<() => void>();
  private readonly restored = new Set<() => void>();
  private readonly statuses: QueuedIterator<Status>;
  private up = true;

  constructor(connection: NatsConnection) {
    // The client declares less than it returns: only this can be stopped.
    this.statuses = connection.status() as QueuedIterator<Status>;
    void this.follow();
  }

  /** Called once, at the next interruption or at the end of the connection. @returns a function that takes it back */
  onInterruption(listener: () => void): () => void {
    this.interrupted.add(listener);
    return () => void this.interrupted.delete(listener);
  }

  /** Resolves at once while connected, else after the reconnect; also when the connection ends or `signal` aborts. */
  async connected(signal: AbortSignal): Promise<void> {
    if (this.up || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.restored.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.restored.add(done);
      signal.addEventListener('abort', done);
    });
  }

  close(): void {
    this.statuses.stop();
  }

  private async follow(): Promise<void> {
    for await (const status of this.statuses) {
      if (status.type === 'disconnect') {
        this.up = false;
        this.notify(this.interrupted);
      } else if (status.type === 'reconnect') {
        this.up = true;
        this.notify(this.interrupted);
        this.notify(this.restored);
      }
    }
    this.up = true;
    this.notify(this.interrupted);
    this.notify(this.restored);
  }

  private notify(listeners: Set<() => void>): void {
    const all = [...listeners];
    listeners.clear();
    for (const listener of all) listener();
  }
}

/** Runs `operation` while connected, and again whenever the connection was interrupted meanwhile, until it settles by itself. */
export async function untilUninterrupted(
  watch: ConnectionWatch,
  signal: AbortSignal,
  operation: () => Promise<void>,
): Promise<void> {
  for (let done = false; !done;) {
    await watch.connected(signal);
    signal.throwIfAborted();
    let forget = (): void => undefined;
    const interruption = new Promise<false>((resolve) => {
      forget = watch.onInterruption(() => resolve(false));
    });
    try {
      const work = operation().then(() => true);
      // Its outcome is of no interest after an interruption.
      work.catch(() => undefined);
      done = await Promise.race([work, interruption]);
    } finally {
      forget();
    }
  }
}
