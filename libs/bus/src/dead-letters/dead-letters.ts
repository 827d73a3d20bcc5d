import { DEAD_LETTER_HEADERS, SUBJECT_ROOT, subjectToken, type FidelisError } from '@fidelis/contracts';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import type { MessageKind } from '../connection/bus-observer.js';
import { BusPublisher } from '../connection/bus-publisher.js';
import type { Delivery } from '../pull/delivery.js';

const REASON_LENGTH = 1_000;

/** Keeps what could not be handled, as it came, with the reason and where it came from in its headers. */
export class DeadLetters {
  private readonly publisher: BusPublisher;

  constructor(connection: NatsConnection) {
    this.publisher = new BusPublisher(connection);
  }

  /** Subject: `fidelis.v1.dead.<kind>.<durable>`. Returns when the letter is stored. */
  async keep(
    kind: MessageKind,
    durable: string,
    delivery: Delivery,
    error: FidelisError,
    signal: AbortSignal,
  ): Promise<void> {
    const letter = headers();
    for (const [name, values] of delivery.headers ?? []) {
      // The server's own headers would act on the letter: an expected sequence, a message id.
      if (!name.toLowerCase().startsWith('nats-')) for (const value of values) letter.append(name, value);
    }
    letter.set(DEAD_LETTER_HEADERS.code, error.code);
    letter.set(DEAD_LETTER_HEADERS.reason, oneLine(error.message));
    letter.set(DEAD_LETTER_HEADERS.subject, delivery.subject);
    letter.set(DEAD_LETTER_HEADERS.stream, delivery.stream);
    letter.set(DEAD_LETTER_HEADERS.deliveries, String(delivery.deliveryCount));
    await this.publisher.store(`${SUBJECT_ROOT}.dead.${kind}.${subjectToken(durable)}`, delivery.data, {
      headers: letter,
      messageId: `${delivery.stream}.${delivery.streamSequence}.${durable}`,
      signal,
    });
  }
}

/** A header value ends at a line break. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').slice(0, REASON_LENGTH);
}
