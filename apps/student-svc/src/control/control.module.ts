import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { BusHealth, EventPublisher, JobQueue, RpcClient, RunPositions } from '@fidelis/bus';
import { HealthRegistry, LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { Outbox, outboxProvider, PersistenceModule, pingDatabase } from '@fidelis/persistence';
import { DataSource } from 'typeorm';
import type { ControlConfig } from '../config.js';
import { CreateRuns } from './create-runs.migration.js';
import { ReportController } from './report.controller.js';
import { RunController } from './run.controller.js';
import { RunRow } from './run.entity.js';
import { RunLoop } from './run-loop.js';
import { RunReconciler } from './run.reconciler.js';
import { RunRepository } from './run.repository.js';

/** Starts what turns by itself, and stops it before the connections go. */
@Injectable()
class ControlLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(RunLoop) private readonly loop: RunLoop,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(BusHealth) private readonly bus: BusHealth,
    @Inject(DataSource) private readonly dataSource: DataSource,
  ) {}

  onApplicationBootstrap(): void {
    this.health.register('nats', () => this.bus.check());
    this.health.register('database', () => pingDatabase(this.dataSource));
    this.outbox.start();
    this.loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.loop.stop();
    await this.outbox.stop();
  }
}

@Module({})
export class ControlModule {
  static register(config: ControlConfig, logger: Logger): DynamicModule {
    return {
      module: ControlModule,
      imports: [
        PersistenceModule.forRoot({
          url: config.FIDELIS_DATABASE_URL,
          schema: 'student',
          entities: [RunRow],
          migrations: [CreateRuns],
          onRetry: (error) => logger.warn({ err: error }, 'no database yet, still trying'),
        }),
      ],
      controllers: [RunController, ReportController],
      providers: [
        ControlLifecycle,
        outboxProvider('student', EventPublisher, LOGGER),
        {
          provide: RunRepository,
          inject: [DataSource, Outbox],
          useFactory: (dataSource: DataSource, outbox: Outbox) => new RunRepository(dataSource, outbox),
        },
        {
          provide: RunReconciler,
          inject: [RunRepository, RpcClient, JobQueue, RunPositions, LOGGER],
          useFactory: (
            runs: RunRepository,
            rpc: RpcClient,
            jobs: JobQueue,
            positions: RunPositions,
            log: Logger,
          ) => new RunReconciler(runs, rpc, jobs, positions, log),
        },
        {
          provide: RunLoop,
          inject: [RunRepository, RunReconciler, MetricsRegistry, LOGGER],
          useFactory: (
            runs: RunRepository,
            reconciler: RunReconciler,
            metrics: MetricsRegistry,
            log: Logger,
          ) => new RunLoop(runs, reconciler, metrics, log),
        },
      ],
    };
  }
}
