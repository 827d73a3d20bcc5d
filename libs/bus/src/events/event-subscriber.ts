import { eventSubject, parseTolerant, type EventContract } from '@fidelis/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import type { BusObserver } from '../connection/bus-observer.js';
import { correlationIdOf } from '../connection/correlation.js';
import { decodeJson } from '../connection/json-wire.js';
import { LatestQueue } from './latest-queue.js';

export interface FollowedEvent<Payload> {
  /** What the event is about. */
  readonly id: string;
  readonly payload: Payload;
  readonly correlationId: string;
}

export interface EventSubscription<Payload> extends AsyncIterable<FollowedEvent<Payload>> {
  /** Ends the iteration after what is queued. */
  close(): void;
}

export interface SubscribeOptions {
  /** Events held for a slow reader; then the oldest give way to the newest. @default 256 */
  readonly queueLimit?: number | undefined;
}

const QUEUE_LIMIT = 256;

/** Follows events as they happen, for a screen: what happened before, or during a lost connection, is not delivered. */
export class EventSubscriber {
  constructor(
    private readonly connection: NatsConnection,
    private readonly observer: BusObserver = {},
  ) {}

  /** @param id what the events are about, or `*` for all */
  subscribe<Schema extends z.ZodType>(
    contract: EventContract<Schema>,
    id: string,
    options: SubscribeOptions = {},
  ): EventSubscription<z.output<Schema>> {
    const queue = new LatestQueue<FollowedEvent<z.output<Schema>>>(options.queueLimit ?? QUEUE_LIMIT, () =>
      this.observer.followerSkipped?.('slow'),
    );
    const subject = id === '*' ? `${contract.subject}.*` : eventSubject(contract, id);
    const subscription = this.connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) {
          queue.end();
          return;
        }
        try {
          queue.push({
            id: message.subject.slice(contract.subject.length + 1),
            payload: parseTolerant(contract.schema, decodeJson(message.data)),
            correlationId: correlationIdOf(message.headers),
          });
        } catch {
          // The durable consumers of the event set it aside with its reason; a screen has nothing to add.
          this.observer.followerSkipped?.('invalid');
        }
      },
    });
    void subscription.closed.then(() => queue.end());
    return {
      close: () => {
        if (!subscription.isClosed()) subscription.unsubscribe();
        queue.end();
      },
      [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
    };
  }
}
