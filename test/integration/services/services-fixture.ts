import type { AddressInfo, Server } from 'node:net';
import { BUS_CONNECTION, RpcClient, type NatsConnection } from '@fidelis/bus';
import { createLogger, HealthRegistry, type Logger } from '@fidelis/observability';
import { createTestDatabase, startTestNats, startTestPostgres } from '@fidelis/testing';
import type { INestApplication, Type } from '@nestjs/common';

export interface Servers {
  readonly natsUrl: string;
  readonly databaseUrl: string;
  dispose(): Promise<void>;
}

/** A NATS and an empty database of their own for one suite. */
export async function startServers(): Promise<Servers> {
  const [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
  const database = await createTestDatabase(postgres);
  return {
    natsUrl: nats.url,
    databaseUrl: database.url,
    dispose: async () => {
      await Promise.all([nats.dispose(), postgres.dispose()]);
    },
  };
}

export interface RunningService {
  readonly url: string;
  readonly connection: NatsConnection;
  readonly rpc: RpcClient;
  get<Instance>(type: Type<Instance>): Instance;
  /** The sample of one series in /metrics; undefined where there is none. */
  sample(series: string): Promise<number | undefined>;
  close(): Promise<void>;
}

/** Starts an app in this process as its main does it. */
export async function startApp<Config>(
  create: (config: Config, logger: Logger) => Promise<INestApplication>,
  schema: { parse(value: unknown): Config },
  environment: Record<string, string>,
): Promise<RunningService> {
  const app = await create(
    schema.parse(environment),
    createLogger({ service: 'test', level: 'fatal', instance: 'test' }),
  );
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  app.get(HealthRegistry).setStarted();
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    connection: app.get<NatsConnection>(BUS_CONNECTION),
    rpc: app.get(RpcClient),
    get: (type) => app.get(type),
    sample: async (series) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    close: () => app.close(),
  };
}
