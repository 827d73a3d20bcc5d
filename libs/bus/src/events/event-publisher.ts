import { eventSubject, parseStrict, type EventContract } from '@fidelis/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { BusPublisher } from '../connection/bus-publisher.js';
import { correlatedHeaders } from '../connection/correlation.js';
import { encodeJson } from '../connection/json-wire.js';

export interface PublishOptions {
  /** @default the id of the message that is being handled, else a new one */
  readonly correlationId?: string | undefined;
  /** Two publishes with one id within two minutes are one event. */
  readonly messageId?: string | undefined;
  /** Gives up the wait for an absent server. */
  readonly signal?: AbortSignal | undefined;
  /** @default without limit */
  readonly patienceMs?: number | undefined;
}

export class EventPublisher {
  private readonly publisher: BusPublisher;

  constructor(connection: NatsConnection) {
    this.publisher = new BusPublisher(connection);
  }

  /**
   * Returns when the event is stored. While NATS is away it waits for it.
   *
   * @param id what the event is about: the last token of its subject
   * @throws FidelisError REQUEST.INVALID where payload or id are not the contract's; BUS.UNAVAILABLE when the wait is given up
   */
  async publish<Schema extends z.ZodType>(
    contract: EventContract<Schema>,
    id: string,
    payload: z.input<Schema>,
    options: PublishOptions = {},
  ): Promise<void> {
    await this.forward(eventSubject(contract, id), parseStrict(contract.schema, payload), options);
  }

  /** Publishes an event that was checked against its contract earlier, as what an outbox kept. */
  async forward(subject: string, payload: unknown, options: PublishOptions = {}): Promise<void> {
    const { correlationId, ...rest } = options;
    const headers = correlatedHeaders(correlationId);
    await this.publisher.store(subject, encodeJson(payload), { ...rest, headers });
  }
}
