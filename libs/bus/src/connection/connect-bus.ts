import { setTimeout as sleep } from 'node:timers/promises';
import { FidelisError } from '@fidelis/contracts';
import {
  AuthorizationError,
  connect,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { silentLog, type BusLog } from './bus-log.js';
import type { BusObserver } from './bus-observer.js';

export interface BusConnectionOptions {
  /** `nats://host:port`, or several of one cluster. */
  readonly servers: string | readonly string[];
  /** What the server's monitoring shows for this connection, as in `teacher-svc`. */
  readonly name: string;
  readonly log?: BusLog | undefined;
  readonly observer?: BusObserver | undefined;
  /** Ends the wait for the first connection. */
  readonly signal?: AbortSignal | undefined;
  /** @default 500 */
  readonly reconnectPauseMs?: number | undefined;
  /** Credentials, TLS and whatever else the client takes. */
  readonly client?: Omit<NodeConnectionOptions, 'servers' | 'name'> | undefined;
}

/** A dead peer is noticed after this times `maxPingOut`. */
const PING_INTERVAL_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Waits for the first connection without limit, and says so in the log; from then on the client reconnects without limit.
 *
 * @throws FidelisError BUS.UNAVAILABLE if the server rejects the credentials or `signal` aborts
 */
export async function connectBus(options: BusConnectionOptions): Promise<NatsConnection> {
  const { log = silentLog, reconnectPauseMs = 500, signal } = options;
  const servers = typeof options.servers === 'string' ? [options.servers] : [...options.servers];
  for (let attempt = 1; ; attempt++) {
    try {
      const connection = await connect({
        maxReconnectAttempts: -1,
        reconnectTimeWait: reconnectPauseMs,
        pingInterval: PING_INTERVAL_MS,
        maxPingOut: 2,
        timeout: CONNECT_TIMEOUT_MS,
        ...options.client,
        servers,
        name: options.name,
      });
      log.info('connected to NATS', { server: connection.getServer(), version: connection.info?.version });
      void reportStatus(connection, log, options.observer ?? {});
      return connection;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof AuthorizationError) {
        throw new FidelisError(
          'BUS.UNAVAILABLE',
          `NATS at ${servers.join(', ')} refuses this client: ${reason}`,
          {
            cause: error,
          },
        );
      }
      if (attempt % 10 === 1) log.warn('NATS is not reachable, still trying', { servers, attempt, reason });
      await waitBeforeRetry(reconnectPauseMs, servers, signal, error);
    }
  }
}

async function waitBeforeRetry(
  pauseMs: number,
  servers: readonly string[],
  signal: AbortSignal | undefined,
  cause: unknown,
): Promise<void> {
  await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  if (signal?.aborted === true) {
    throw new FidelisError(
      'BUS.UNAVAILABLE',
      `NATS is not reachable at ${servers.join(', ')}; is it running?`,
      {
        cause,
      },
    );
  }
}

async function reportStatus(connection: NatsConnection, log: BusLog, observer: BusObserver): Promise<void> {
  for await (const status of connection.status()) {
    switch (status.type) {
      case 'disconnect':
        log.warn('connection to NATS lost', { server: status.server });
        observer.disconnected?.();
        break;
      case 'reconnect':
        log.info('connected to NATS again', { server: status.server });
        observer.reconnected?.();
        break;
      case 'error':
        log.error('NATS reports an error', { reason: status.error.message });
        break;
      case 'slowConsumer':
        log.warn('a subscription is slower than what it gets', { pending: status.pending });
        break;
      default:
        break;
    }
  }
}
