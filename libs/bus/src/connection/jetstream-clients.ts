import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

/** A request without an answer is given up, and mostly repeated, after this: what was sent while NATS was away is lost. */
const REQUEST_TIMEOUT_MS = 2_000;

export function streamClient(connection: NatsConnection): JetStreamClient {
  return jetstream(connection, { timeout: REQUEST_TIMEOUT_MS });
}

export function streamManager(connection: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(connection, { timeout: REQUEST_TIMEOUT_MS, checkAPI: false });
}
