import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import {
  ArtifactInventory,
  ArtifactStore,
  DeadLetterQueue,
  JobQueue,
  RpcClient,
  RunPositions,
} from '@fidelis/bus';
import { LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { Outbox } from '@fidelis/persistence';
import { ServiceDatabaseModule } from '@fidelis/service';
import { DataSource } from 'typeorm';
import type { ControlConfig } from '../config.js';
import { AddDatasetArchives } from './add-dataset-archives.migration.js';
import { AddRelease } from './add-release.migration.js';
import { CreateRuns } from './create-runs.migration.js';
import { DatasetArchiveRow } from './dataset-archive.entity.js';
import { DatasetArchives } from './dataset-archives.js';
import { DatasetController } from './dataset.controller.js';
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
          entities: [RunRow, DatasetArchiveRow],
          migrations: [CreateRuns, AddRelease, AddDatasetArchives],
          logger,
        }),
      ],
      controllers: [RunController, ReportController, JobController, DatasetController],
      providers: [
        ControlLifecycle,
        {
          provide: RunRepository,
          inject: [DataSource, Outbox],
          useFactory: (dataSource: DataSource, outbox: Outbox) => new RunRepository(dataSource, outbox),
        },
        {
          provide: DatasetArchives,
          inject: [DataSource, ArtifactStore, LOGGER],
          useFactory: (dataSource: DataSource, artifacts: ArtifactStore, log: Logger) =>
            new DatasetArchives(dataSource, artifacts, log),
        },
        {
          provide: RunReconciler,
          inject: [
            RunRepository,
            RpcClient,
            JobQueue,
            RunPositions,
            DatasetArchives,
            MetricsRegistry,
            LOGGER,
          ],
          useFactory: (
            runs: RunRepository,
            rpc: RpcClient,
            jobs: JobQueue,
            positions: RunPositions,
            archives: DatasetArchives,
            metrics: MetricsRegistry,
            log: Logger,
          ) => new RunReconciler(runs, rpc, jobs, positions, archives, metrics, log),
        },
        {
          provide: RunRemoval,
          inject: [RunRepository, RpcClient, JobQueue, RunPositions],
          useFactory: (runs: RunRepository, rpc: RpcClient, jobs: JobQueue, positions: RunPositions) =>
            new RunRemoval(runs, rpc, jobs, positions),
        },
        {
          provide: GarbageCollection,
          inject: [ArtifactInventory, RunPositions, RunRepository, DatasetArchives, RpcClient],
          useFactory: (
            inventory: ArtifactInventory,
            positions: RunPositions,
            runs: RunRepository,
            archives: DatasetArchives,
            rpc: RpcClient,
          ) => new GarbageCollection(inventory, positions, runs, archives, rpc),
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
