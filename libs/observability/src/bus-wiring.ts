import { runInContext, type Logger } from './logger.js';
import type { MetricsRegistry } from './metrics-registry.js';

type Fields = Readonly<Record<string, unknown>>;

/** What the bus tells a service, in the shape that the bus asks for: its lines go to the log, its counts to Prometheus. */
export interface BusWiring {
  readonly servers: string;
  readonly name: string;
  readonly log: {
    info(message: string, fields?: Fields): void;
    warn(message: string, fields?: Fields): void;
    error(message: string, fields?: Fields): void;
  };
  readonly observer: {
    messageHandled(kind: string, outcome: string): void;
    redelivery(kind: string): void;
    deadLetter(kind: string): void;
    reconnected(): void;
  };
  readonly around: <Result>(
    context: { readonly correlationId: string },
    next: () => Promise<Result>,
  ) => Promise<Result>;
}

export function busWiring(
  config: { readonly FIDELIS_NATS_URL: string; readonly FIDELIS_INSTANCE: string },
  metrics: MetricsRegistry,
  logger: Logger,
): BusWiring {
  return {
    servers: config.FIDELIS_NATS_URL,
    name: `${metrics.service}/${config.FIDELIS_INSTANCE}`,
    log: {
      info: (message, fields = {}) => logger.info(fields, message),
      warn: (message, fields = {}) => logger.warn(fields, message),
      error: (message, fields = {}) => logger.error(fields, message),
    },
    observer: {
      messageHandled: (kind, outcome) => metrics.counter('fidelis_bus_messages_total').inc({ kind, outcome }),
      redelivery: (kind) => metrics.counter('fidelis_redeliveries_total').inc({ kind }),
      deadLetter: (kind) => metrics.counter('fidelis_dead_letters_total').inc({ kind }),
      reconnected: () => metrics.counter('fidelis_bus_reconnects_total').inc(),
    },
    around: ({ correlationId }, next) => runInContext({ correlationId }, next),
  };
}
