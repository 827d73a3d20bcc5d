import {
  BUS_CONNECTION,
  BusModule,
  connectBus,
  JetStreamStrategy,
  type BusModuleOptions,
  type NatsConnection,
} from '@fidelis/bus';
import { DEAD_LETTER_HEADERS, STREAMS } from '@fidelis/contracts';
import { waitFor } from '@fidelis/testing';
import { jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import { Module, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

export interface TestService {
  readonly app: INestApplication;
  readonly connection: NatsConnection;
  get<Instance>(type: Type<Instance>): Instance;
  /** In order, as on SIGTERM. */
  close(): Promise<void>;
}

/** A service with these handlers, put together as the applications do it. */
export async function startService(
  url: string,
  controllers: Type[],
  options: Partial<BusModuleOptions> = {},
): Promise<TestService> {
  @Module({
    imports: [
      BusModule.forRootAsync({
        useFactory: () => ({ servers: url, name: 'test-svc', reconnectPauseMs: 50, ...options }),
      }),
    ],
    controllers,
  })
  class AppModule {}

  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
  app.connectMicroservice({ strategy: app.get(JetStreamStrategy) }, { inheritAppConfig: true });
  await app.init();
  await app.startAllMicroservices();
  return {
    app,
    connection: app.get<NatsConnection>(BUS_CONNECTION),
    get: (type) => app.get(type),
    close: () => app.close(),
  };
}

export function connectTo(url: string): Promise<NatsConnection> {
  return connectBus({ servers: url, name: 'test', reconnectPauseMs: 50 });
}

export interface DeadLetter {
  readonly code: string | undefined;
  readonly reason: string | undefined;
  readonly subject: string | undefined;
  readonly stream: string | undefined;
  readonly deliveries: string | undefined;
  readonly message: StoredMsg;
}

/** The newest dead letter whose message had this subject; waits for it. */
export function deadLetterOf(connection: NatsConnection, subject: string): Promise<DeadLetter> {
  return waitFor(
    async () => {
      const manager = await jetstreamManager(connection, { timeout: 1_000 });
      const { state } = await manager.streams.info(STREAMS.deadLetters.name);
      for (let seq = state.last_seq; seq >= Math.max(1, state.first_seq); seq--) {
        const message = await manager.streams.getMessage(STREAMS.deadLetters.name, { seq });
        if (message === null || message.header.get(DEAD_LETTER_HEADERS.subject) !== subject) continue;
        return {
          code: message.header.get(DEAD_LETTER_HEADERS.code),
          reason: message.header.get(DEAD_LETTER_HEADERS.reason),
          subject: message.header.get(DEAD_LETTER_HEADERS.subject),
          stream: message.header.get(DEAD_LETTER_HEADERS.stream),
          deliveries: message.header.get(DEAD_LETTER_HEADERS.deliveries),
          message,
        };
      }
      return undefined;
    },
    { what: `a dead letter of ${subject}` },
  );
}

/** Messages that wait in a stream. */
export async function storedMessages(connection: NatsConnection, stream: string): Promise<number> {
  const manager = await jetstreamManager(connection, { timeout: 1_000 });
  return (await manager.streams.info(stream)).state.messages;
}

/** Messages that a consumer has delivered and nobody has settled. */
export async function unsettled(
  connection: NatsConnection,
  stream: string,
  durable: string,
): Promise<number> {
  const manager = await jetstreamManager(connection, { timeout: 1_000 });
  return (await manager.consumers.info(stream, durable)).num_ack_pending;
}
