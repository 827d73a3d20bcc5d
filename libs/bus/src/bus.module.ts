import { setTimeout as sleep } from 'node:timers/promises';
import {
  Inject,
  Module,
  type DynamicModule,
  type FactoryProvider,
  type ModuleMetadata,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { ArtifactInventory } from './artifacts/artifact-inventory.js';
import { ArtifactStore } from './artifacts/artifact-store.js';
import { connectBus, type BusConnectionOptions } from './connection/connect-bus.js';
import { DeadLetterQueue } from './dead-letters/dead-letter-queue.js';
import { EventPublisher } from './events/event-publisher.js';
import { EventSubscriber } from './events/event-subscriber.js';
import { BusHealth } from './health/bus-health.js';
import type { Placement } from '@fidelis/contracts';
import { JobQueue } from './jobs/job-queue.js';
import { LogitLog } from './logits/logit-log.js';
import { RunPositions } from './positions/run-positions.js';
import { PredictionPublisher } from './predictions/prediction-publisher.js';
import { RpcClient } from './rpc/rpc-client.js';
import { JetStreamStrategy } from './server/jetstream-strategy.js';
import type { AroundHandler } from './server/server-environment.js';
import { ensureTopology } from './topology/ensure-topology.js';

/** The process's one NatsConnection. */
export const BUS_CONNECTION = Symbol('BUS_CONNECTION');
const BUS_OPTIONS = Symbol('BUS_OPTIONS');

export interface BusModuleOptions extends BusConnectionOptions {
  /** `expect` leaves the creation of streams and buckets to a bootstrap with more rights. @default 'ensure' */
  readonly topology?: 'ensure' | 'expect' | undefined;
  /** Copies of each stream in a cluster. @default 1 */
  readonly replicas?: number | undefined;
  /** Whose jobs this process takes. @default 'cpu' */
  readonly placement?: Placement | undefined;
  /** Time for the messages in hand when the process stops. @default 10,000 */
  readonly drainGraceMs?: number | undefined;
  /** Wraps the handling of each message, as for a log context. */
  readonly around?: AroundHandler | undefined;
}

export interface BusModuleAsyncOptions {
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (...dependencies: never[]) => BusModuleOptions | Promise<BusModuleOptions>;
}

const CLOSE_LIMIT_MS = 3_000;

function clientOf<Client>(
  provide: new (...parameters: never[]) => Client,
  create: (connection: NatsConnection, options: BusModuleOptions) => Client,
): FactoryProvider<Client> {
  return { provide, inject: [BUS_CONNECTION, BUS_OPTIONS], useFactory: create };
}

const CLIENTS = [
  clientOf(RpcClient, (connection) => new RpcClient(connection)),
  clientOf(EventPublisher, (connection) => new EventPublisher(connection)),
  clientOf(EventSubscriber, (connection, { observer }) => new EventSubscriber(connection, observer)),
  clientOf(JobQueue, (connection) => new JobQueue(connection)),
  clientOf(DeadLetterQueue, (connection) => new DeadLetterQueue(connection)),
  clientOf(ArtifactStore, (connection) => new ArtifactStore(connection)),
  clientOf(ArtifactInventory, (connection) => new ArtifactInventory(connection)),
  clientOf(RunPositions, (connection) => new RunPositions(connection)),
  clientOf(LogitLog, (connection, { replicas }) => new LogitLog(connection, { replicas })),
  clientOf(PredictionPublisher, (connection) => new PredictionPublisher(connection)),
  clientOf(BusHealth, (connection) => new BusHealth(connection)),
  clientOf(JetStreamStrategy, (connection, options) => {
    const { log, observer, placement, drainGraceMs, around } = options;
    return new JetStreamStrategy({ connection, log, observer, placement, drainGraceMs, around });
  }),
];

/**
 * The bus for the whole application: one connection, and everything that works on it. Nest closes the microservices first (the
 * strategy drains), and this module's connection after that.
 */
@Module({})
export class BusModule implements OnApplicationShutdown {
  constructor(@Inject(BUS_CONNECTION) private readonly connection: NatsConnection) {}

  static forRootAsync(options: BusModuleAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory } = options;
    return {
      module: BusModule,
      global: true,
      imports,
      providers: [
        { provide: BUS_OPTIONS, inject, useFactory } as FactoryProvider<BusModuleOptions>,
        { provide: BUS_CONNECTION, inject: [BUS_OPTIONS], useFactory: openBus },
        ...CLIENTS,
      ],
      exports: [BUS_CONNECTION, ...CLIENTS],
    };
  }

  /** Sends what is buffered, then closes; an absent server is not waited for. */
  async onApplicationShutdown(): Promise<void> {
    if (this.connection.isClosed()) return;
    const drained = this.connection.drain().catch(() => undefined);
    await Promise.race([drained, sleep(CLOSE_LIMIT_MS, undefined, { ref: false })]);
    await this.connection.close();
  }
}

async function openBus(options: BusModuleOptions): Promise<NatsConnection> {
  const connection = await connectBus(options);
  if (options.topology !== 'expect') {
    const { replicas, signal } = options;
    await ensureTopology(connection, { replicas, signal });
  }
  return connection;
}
