import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ArtifactInventory, DeadLetterQueue, JobQueue, RpcClient, RunPositions } from '@fidelis/bus';
import { LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { Outbox } from '@fidelis/persistence';
import { ServiceDatabaseModule } from '@fidelis/service';
import { DataSource } from 'typeorm';
import type { ControlConfig } from '../config.js';
import { AddRelease } from './add-release.migration.js';
import { CreateRuns } from './create-runs.migration.js';
import { GarbageCollection } from './garbage-collection.js';
import { JobController } from './job.controller.js';
import { LetterRedrive } from './letter-redrive.js';
import { ReportController } from './report.controller.js';
import { RunController } from './run.controller.js';
import { RunRow } from './run.entity.js';
import { RunLoop } from './run-loop.js';
import { RunRemoval } from './run-removal.js';
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
      controllers: [RunController, ReportController, JobController],
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
          provide: RunRemoval,
          inject: [RunRepository, RpcClient, JobQueue, RunPositions],
          useFactory: (runs: RunRepository, rpc: RpcClient, jobs: JobQueue, positions: RunPositions) =>
            new RunRemoval(runs, rpc, jobs, positions),
        },
        {
          provide: GarbageCollection,
          inject: [ArtifactInventory, RunPositions, RunRepository, RpcClient],
          useFactory: (
            inventory: ArtifactInventory,
            positions: RunPositions,
            runs: RunRepository,
            rpc: RpcClient,
          ) => new GarbageCollection(inventory, positions, runs, rpc),
        },
        {
          provide: LetterRedrive,
          inject: [DeadLetterQueue, RunRepository, RunLoop, RunPositions, RpcClient],
          useFactory: (
            letters: DeadLetterQueue,
            runs: RunRepository,
            loop: RunLoop,
            positions: RunPositions,
            rpc: RpcClient,
          ) => new LetterRedrive(letters, runs, loop, positions, rpc),
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
