import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';

const NANOS_PER_MILLISECOND = 1_000_000;
const encoder = new TextEncoder();

/** One delivery of one message of a stream, by a pull consumer. */
export interface Delivery {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | undefined;
  readonly stream: string;
  readonly streamSequence: number;
  /** When the server stored the message: milliseconds since 1970, of its clock. */
  readonly storedAtMs: number;
  /** 1 for the first. */
  readonly deliveryCount: number;
  /** Subject of acknowledgements. */
  readonly ackSubject: string;
}

/**
 * Reads a message of a pull; undefined for what the server says about the pull itself. What a delivery is about stands
 * in its reply subject: `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`, with domain
 * and account after ACK in the longer form of newer servers.
 */
export function readDelivery(message: Msg): Delivery | undefined {
  const tokens = message.reply?.split('.') ?? [];
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return undefined;
  const first = tokens.length === 9 ? 2 : 4;
  return {
    subject: message.subject,
    data: message.data,
    headers: message.headers,
    stream: tokens[first] ?? '',
    deliveryCount: Number(tokens[first + 2]),
    streamSequence: Number(tokens[first + 3]),
    storedAtMs: Number(tokens[first + 5]) / NANOS_PER_MILLISECOND,
    ackSubject: message.reply ?? '',
  };
}

export function nakPayload(delayMs: number): Uint8Array {
  return encoder.encode(
    delayMs <= 0 ? '-NAK' : `-NAK ${JSON.stringify({ delay: Math.round(delayMs * NANOS_PER_MILLISECOND) })}`,
  );
}

export function termPayload(reason: string): Uint8Array {
  return encoder.encode(`+TERM ${reason}`);
}

const ACK = encoder.encode('+ACK');
const WORKING = encoder.encode('+WPI');

/** Waits until the server has it: an acknowledgement on a connection that is just breaking is lost otherwise. */
export async function acknowledge(
  connection: NatsConnection,
  delivery: Delivery,
  payload: Uint8Array = ACK,
): Promise<void> {
  await connection.request(delivery.ackSubject, payload, { timeout: 2_000 });
}

/** Starts the time of ack_wait anew. Nothing happens while the connection is down. */
export function reportWorking(connection: NatsConnection, delivery: Delivery): void {
  if (!connection.isClosed() && !connection.isDraining()) connection.publish(delivery.ackSubject, WORKING);
}
