import { setTimeout as sleep } from 'node:timers/promises';
import { eventSubject, parseStrict, type EventContract } from '@fidelis/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import type { z } from 'zod';
import { OutboxMessage } from './outbox-message.entity.js';

export interface OutgoingMessage {
  readonly subject: string;
  readonly payload: unknown;
  readonly correlationId: string;
}

/** @throws FidelisError REQUEST.INVALID where the payload is not the contract's: now, and not when it is published */
export function outgoingEvent<Schema extends z.ZodType>(
  contract: EventContract<Schema>,
  id: string,
  payload: z.input<Schema>,
  correlationId: string,
): OutgoingMessage {
  return {
    subject: eventSubject(contract, id),
    payload: parseStrict(contract.schema, payload),
    correlationId,
  };
}

/** Publishes one message and resolves when the broker has stored it. `id` is the same for every try. */
export type OutboxPublisher = (message: OutgoingMessage & { readonly id: string }) => Promise<void>;

const BATCH = 64;
const POLL_MS = 1_000;
/** A publish in hand at the end: an absent broker is not waited for, the message is published by the next start. */
const STOP_LIMIT_MS = 2_000;

/**
 * Transactional outbox: `add` inside the transaction that decides, the relay publishes afterwards, in order. A crash between commit and
 * publish costs a delay, a crash between publish and delete a duplicate: consumers are idempotent.
 */
export class Outbox {
  private timer: NodeJS.Timeout | undefined;
  private relaying: Promise<void> | undefined;
  private again = false;
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly publish: OutboxPublisher,
    private readonly onError: (error: unknown) => void,
  ) {}

  async add(manager: EntityManager, ...messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) return;
    await manager.insert(
      OutboxMessage,
      messages.map(({ subject, payload, correlationId }) => ({
        subject,
        payload: payload as never,
        correlationId,
      })),
    );
  }

  start(): void {
    this.timer = setInterval(() => this.kick(), POLL_MS);
    this.kick();
  }

  /** Call after the transaction: publishes now instead of at the next poll. */
  kick(): void {
    if (this.stopped) return;
    this.again = true;
    this.relaying ??= this.relay().finally(() => {
      this.relaying = undefined;
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopped = true;
    await Promise.race([this.relaying, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
  }

  private async relay(): Promise<void> {
    while (this.again) {
      this.again = false;
      try {
        while ((await this.relayBatch()) === BATCH);
      } catch (error) {
        this.onError(error);
      }
    }
  }

  /** One replica relays at a time (row locks), so that messages keep their order. */
  private async relayBatch(): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      const [lock] = await manager.query<{ taken: boolean }[]>(
        `SELECT pg_try_advisory_xact_lock(hashtext('fidelis.outbox.' || current_schema())) AS taken`,
      );
      if (lock?.taken !== true) return 0;
      const messages = await manager.find(OutboxMessage, { order: { id: 'ASC' }, take: BATCH });
      for (const message of messages) await this.publish(message);
      if (messages.length > 0)
        await manager.delete(
          OutboxMessage,
          messages.map(({ id }) => id),
        );
      return messages.length;
    });
  }
}
