/**
 * What travels between a service and its compute child, either way. `message` carries the caller's data; each one is answered by
 * `taken` when the receiver's iteration takes it, which is what holds a fast sender back.
 */
export type Envelope =
  | { readonly kind: 'message'; readonly body: unknown }
  | { readonly kind: 'taken' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'goodbye' }
  | { readonly kind: 'failure'; readonly error: unknown };

export function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

/** Messages that may be under way before `send` waits for the other side to take one. */
const WINDOW_MESSAGES = 16;

/** One side of a link with back-pressure both ways. Knows nothing of processes: `post` hands an envelope to the transport. */
export class FlowChannel<Outgoing, Incoming> {
  private readonly queue: Incoming[] = [];
  private readonly waitingSenders: (() => void)[] = [];
  private wakeReader: (() => void) | undefined;
  private underWay = 0;
  private readingEnded = false;
  private ending: { readonly error?: Error } | undefined;

  constructor(private readonly post: (envelope: Envelope) => Promise<void>) {}

  /**
   * Resolves when the transport has the message; waits while the other side has too many that it has not taken.
   *
   * @throws what the channel ended with, or an Error saying that it ended
   */
  async send(body: Outgoing): Promise<void> {
    while (this.underWay >= WINDOW_MESSAGES && this.ending === undefined) {
      await new Promise<void>((resolve) => this.waitingSenders.push(resolve));
    }
    if (this.ending !== undefined) throw this.ending.error ?? new Error('the channel is closed');
    this.underWay++;
    await this.post({ kind: 'message', body });
  }

  /** What the other side sent, in order. Ends with the channel, after what had arrived; throws what the channel ended with. One consumer. */
  readonly messages: AsyncIterable<Incoming> = { [Symbol.asyncIterator]: () => this.iterate() };

  /** To be called by the transport for each `message` and `taken`. */
  accept(envelope: Envelope): void {
    if (envelope.kind === 'message') {
      this.queue.push(envelope.body as Incoming);
      this.wakeReader?.();
    } else if (envelope.kind === 'taken') {
      this.underWay--;
      this.waitingSenders.shift()?.();
    }
  }

  /** The iteration ends after what had arrived; sending goes on. */
  endReading(): void {
    this.readingEnded = true;
    this.wakeReader?.();
  }

  /** Nothing goes either way any more. The first call counts. */
  end(error?: Error): void {
    if (this.ending !== undefined) return;
    this.ending = error === undefined ? {} : { error };
    this.wakeReader?.();
    for (const resume of this.waitingSenders.splice(0)) resume();
  }

  private async *iterate(): AsyncGenerator<Incoming> {
    for (;;) {
      while (this.queue.length > 0) {
        const message = this.queue.shift() as Incoming;
        if (this.ending === undefined) await this.post({ kind: 'taken' }).catch(() => undefined);
        yield message;
      }
      if (this.ending?.error !== undefined) throw this.ending.error;
      if (this.ending !== undefined || this.readingEnded) return;
      await new Promise<void>((resolve) => (this.wakeReader = resolve));
      this.wakeReader = undefined;
    }
  }
}
