import {
  createInbox,
  nanos,
  type Msg,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import type { ConnectionWatch } from '../connection/connection-watch.js';
import { readDelivery, type Delivery } from './delivery.js';

/**
 * Why a pull has nothing more: all that was asked for was delivered; its time is over, or it was withdrawn; the connection or the
 * server interrupted it, and it should be asked again; the consumer does not exist (any more).
 */
export type PullEnd = 'complete' | 'expired' | 'interrupted' | 'gone';

export interface PullOptions {
  readonly stream: string;
  readonly consumer: string;
  /** Most messages that are under way. */
  readonly batch: number;
  /** Time after which the server ends the pull. */
  readonly expiresMs: number;
}

/** What the server's own end of a pull may come late by. */
const GRACE_MS = 5_000;

/**
 * One request for the next messages of a consumer. The client library's consume() asks again on its own while earlier messages are
 * unread, so that messages wait in a busy process; here nothing is asked for that nobody is waiting to handle.
 */
export class PullRequest {
  private readonly queue: Delivery[] = [];
  private readonly subscription: Subscription;
  private readonly forgetWatch: () => void;
  private readonly timer: NodeJS.Timeout;
  private outstanding: number;
  private ended: PullEnd | undefined;
  private wake: (() => void) | undefined;

  constructor(
    private readonly connection: NatsConnection,
    watch: ConnectionWatch,
    options: PullOptions,
  ) {
    this.outstanding = options.batch;
    const inbox = createInbox(inboxPrefix(connection));
    this.subscription = connection.subscribe(inbox, {
      callback: (error, message) => (error === null ? this.receive(message) : this.end('interrupted')),
    });
    this.forgetWatch = watch.onInterruption(() => this.end('interrupted'));
    this.timer = setTimeout(() => this.end('interrupted'), options.expiresMs + GRACE_MS);
    connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${options.stream}.${options.consumer}`,
      JSON.stringify({ batch: options.batch, expires: nanos(options.expiresMs) }),
      { reply: inbox },
    );
  }

  /** The next message, or why there is none. What arrived before the end is delivered before it. */
  async next(): Promise<Delivery | PullEnd> {
    for (;;) {
      const delivery = this.queue.shift();
      if (delivery !== undefined) return delivery;
      if (this.ended !== undefined) return this.ended;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /**
   * Takes the request back. After this, next() still returns what was under way: the server is asked to stop, and what it had
   * sent before that has arrived.
   */
  async withdraw(): Promise<void> {
    if (this.ended !== undefined) return;
    await this.subscription.drain().catch(() => undefined);
    this.end('expired');
  }

  /** Drops the request and all that is unread. */
  close(): void {
    this.queue.length = 0;
    this.end('expired');
  }

  private receive(message: Msg): void {
    const delivery = readDelivery(message);
    if (delivery === undefined) {
      this.end(endOf(message));
      return;
    }
    this.queue.push(delivery);
    this.outstanding--;
    if (this.outstanding === 0) this.end('complete');
    else this.wake?.();
  }

  private end(end: PullEnd): void {
    this.wake?.();
    if (this.ended !== undefined) return;
    this.ended = end;
    clearTimeout(this.timer);
    this.forgetWatch();
    if (!this.subscription.isClosed() && !this.connection.isClosed()) this.subscription.unsubscribe();
  }
}

/** Status of a pull: https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-37.md */
function endOf(message: Msg): PullEnd {
  const description = message.headers?.description ?? '';
  switch (message.headers?.code) {
    case 404:
    case 408:
      return 'expired';
    case 409:
      if (/batch completed/i.test(description)) return 'expired';
      return /deleted/i.test(description) ? 'gone' : 'interrupted';
    case 503:
      return 'gone';
    default:
      return 'interrupted';
  }
}

/** Of the connection's own options: an account may be allowed no other. The client does not declare that it shows them. */
/** That the connection was made with; the client library keeps it to itself. */
export function inboxPrefix(connection: NatsConnection): string | undefined {
  const { options } = connection as { readonly options?: { readonly inboxPrefix?: string } };
  return options?.inboxPrefix;
}
