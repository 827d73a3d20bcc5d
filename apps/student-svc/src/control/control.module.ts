import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { JobQueue, RpcClient, RunPositions } from '@fidelis/bus';
import { LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { Outbox } from '@fidelis/persistence';
import { ServiceDatabaseModule } from '@fidelis/service';
import { DataSource } from 'typeorm';
import type { ControlConfig } from '../config.js';
import { AddRelease } from './add-release.migration.js';
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
  constructor(@Inject(RunLoop) private readonly loop: RunLoop) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }
}

@Module({})
export class ControlModule {
  static register(config: ControlConfig, logger: Logger): DynamicModule {
    return {
      module: ControlModule,
      imports: [
        ServiceDatabaseModule.register({
          config,
          schema: 'student',
          entities: [RunRow],
          migrations: [CreateRuns, AddRelease],
          logger,
        }),
      ],
      controllers: [RunController, ReportController],
      providers: [
        ControlLifecycle,
        {
          provide: RunRepository,
          inject: [DataSource, Outbox],
          useFactory: (dataSource: DataSource, outbox: Outbox) => new RunRepository(dataSource, outbox),
        },
        {
          provide: RunReconciler,
          inject: [RunRepository, RpcClient, JobQueue, RunPositions, MetricsRegistry, LOGGER],
          useFactory: (
            runs: RunRepository,
            rpc: RpcClient,
            jobs: JobQueue,
            positions: RunPositions,
            metrics: MetricsRegistry,
            log: Logger,
          ) => new RunReconciler(runs, rpc, jobs, positions, metrics, log),
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
