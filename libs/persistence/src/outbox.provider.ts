import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Outbox } from './outbox.js';

/** What of a publisher of events the outbox needs. */
interface Forwarder {
  forward(
    subject: string,
    payload: unknown,
    options: { correlationId: string; messageId: string },
  ): Promise<void>;
}

interface WarningLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** The service's outbox. @param schema tells its message ids from those of the other services */
export function outboxProvider(
  schema: string,
  publisher: InjectionToken<Forwarder>,
  logger: InjectionToken<WarningLog>,
): FactoryProvider<Outbox> {
  return {
    provide: Outbox,
    inject: [DataSource, publisher, logger],
    useFactory: (dataSource: DataSource, events: Forwarder, log: WarningLog) =>
      new Outbox(
        dataSource,
        ({ id, subject, payload, correlationId }) =>
          events.forward(subject, payload, { correlationId, messageId: `${schema}.${id}` }),
        (error) => log.warn({ err: error }, 'events wait in the outbox'),
      ),
  };
}
