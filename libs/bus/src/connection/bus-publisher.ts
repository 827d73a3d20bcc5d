import { randomUUID } from 'node:crypto';
import { type JetStreamClient, type StreamExpectations } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { streamClient } from './jetstream-clients.js';
import { throughOutages } from './patience.js';

export interface StoredMessage {
  /**
   * The repetition of one publish is stored once (within the stream's window, two minutes by default).
   * @default a new one for each call, so that the retries of one call are stored once
   */
  readonly messageId?: string | undefined;
  readonly headers?: MsgHdrs | undefined;
  readonly expect?: Partial<StreamExpectations> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number | undefined;
}

/** Publishes to streams. While NATS is away it holds back; it returns when the message is stored. */
export class BusPublisher {
  private readonly js: JetStreamClient;

  constructor(connection: NatsConnection) {
    this.js = streamClient(connection);
  }

  async store(
    subject: string,
    data: Uint8Array,
    options: StoredMessage,
  ): Promise<{ sequence: number; duplicate: boolean }> {
    const messageId = options.messageId ?? randomUUID();
    return throughOutages(
      async () => {
        const ack = await this.js.publish(subject, data, {
          msgID: messageId,
          ...(options.headers === undefined ? {} : { headers: options.headers }),
          ...(options.expect === undefined ? {} : { expect: options.expect }),
        });
        return { sequence: ack.seq, duplicate: ack.duplicate };
      },
      { what: `publish to ${subject}`, patienceMs: options.patienceMs, signal: options.signal },
    );
  }
}
