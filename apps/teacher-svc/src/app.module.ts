import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ArtifactStore, JobQueue, LogitLog, RpcClient, RunPositions } from '@fidelis/bus';
import { LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { Outbox } from '@fidelis/persistence';
import { DatasetCopies, ServiceCoreModule, ServiceDatabaseModule } from '@fidelis/service';
import { DataSource } from 'typeorm';
import { AddEnsembles } from './add-ensembles.migration.js';
import { AddExecution } from './add-execution.migration.js';
import { AddCodecError } from './add-codec-error.migration.js';
import { AddStreamRuns } from './add-stream-runs.migration.js';
import type { TeacherConfig } from './config.js';
import { CreateTeachers } from './create-teachers.migration.js';
import { PredictionTableRow } from './scoring/prediction-table.entity.js';
import { PredictionTables } from './scoring/prediction-tables.js';
import { spawnScorer } from './scoring/scorer-process.js';
import { ReferencesController } from './references/references.controller.js';
import { ScoringLoop } from './scoring/scoring-loop.js';
import { StreamController } from './streams/stream.controller.js';
import { StreamRunRow } from './streams/stream-run.entity.js';
import { StreamRow } from './streams/stream.entity.js';
import { PositionBoard } from './streams/position-board.js';
import { StreamLeases } from './streams/stream-leases.js';
import { StreamOverseer } from './streams/stream-overseer.js';
import { streamProviders } from './streams/stream-providers.js';
import { StreamQuota } from './streams/stream-quota.js';
import { StreamRepository } from './streams/stream.repository.js';
import { GivenTeachers } from './teachers/given-teachers.js';
import { ImportedTeachers } from './teachers/imported-teachers.js';
import { TeacherController } from './teachers/teacher.controller.js';
import { TeacherRow } from './teachers/teacher.entity.js';
import { TeacherRepository } from './teachers/teacher.repository.js';
import { TeacherService } from './teachers/teacher.service.js';

/** Starts what turns by itself, and stops it before the connections go. */
@Injectable()
class ScoringLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(ScoringLoop) private readonly loop: ScoringLoop,
    @Inject(PositionBoard) private readonly board: PositionBoard,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.board.onMove(() => this.loop.poke());
    this.board.start().catch((error: unknown) => {
      this.logger.warn({ err: error }, 'the positions of the runs cannot be watched');
    });
    this.loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.loop.stop();
    this.board.stop();
  }
}

@Module({})
export class AppModule {
  static register(config: TeacherConfig, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ServiceCoreModule.register({ service: 'teacher-svc', config, logger }),
        ServiceDatabaseModule.register({
          config,
          schema: 'teacher',
          entities: [TeacherRow, StreamRow, StreamRunRow, PredictionTableRow],
          migrations: [CreateTeachers, AddEnsembles, AddExecution, AddStreamRuns, AddCodecError],
          logger,
        }),
      ],
      controllers: [TeacherController, StreamController, ReferencesController],
      providers: [
        ScoringLifecycle,
        {
          provide: TeacherRepository,
          inject: [DataSource, Outbox],
          useFactory: (dataSource: DataSource, outbox: Outbox) => new TeacherRepository(dataSource, outbox),
        },
        ...streamProviders(config),
        {
          provide: PredictionTables,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => new PredictionTables(dataSource),
        },
        {
          provide: DatasetCopies,
          inject: [ArtifactStore, RpcClient, LOGGER],
          useFactory: (artifacts: ArtifactStore, rpc: RpcClient, log: Logger) =>
            new DatasetCopies(artifacts, rpc, log),
        },
        {
          provide: GivenTeachers,
          inject: [TeacherRepository, ArtifactStore, DatasetCopies],
          useFactory: (teachers: TeacherRepository, artifacts: ArtifactStore, datasets: DatasetCopies) =>
            new GivenTeachers(teachers, artifacts, datasets),
        },
        {
          provide: ImportedTeachers,
          inject: [TeacherRepository, ArtifactStore, DatasetCopies],
          useFactory: (teachers: TeacherRepository, artifacts: ArtifactStore, datasets: DatasetCopies) =>
            new ImportedTeachers(teachers, artifacts, datasets),
        },
        {
          provide: TeacherService,
          inject: [TeacherRepository, JobQueue, RunPositions],
          useFactory: (teachers: TeacherRepository, jobs: JobQueue, positions: RunPositions) =>
            new TeacherService(teachers, jobs, positions, config),
        },
        {
          provide: ScoringLoop,
          inject: [
            ArtifactStore,
            LogitLog,
            StreamRepository,
            StreamLeases,
            StreamQuota,
            PositionBoard,
            StreamOverseer,
            PredictionTables,
            DatasetCopies,
            MetricsRegistry,
            LOGGER,
            TeacherRepository,
            TeacherService,
          ],
          useFactory: (
            artifacts: ArtifactStore,
            log: LogitLog,
            streams: StreamRepository,
            leases: StreamLeases,
            quota: StreamQuota,
            board: PositionBoard,
            overseer: StreamOverseer,
            tables: PredictionTables,
            datasets: DatasetCopies,
            metrics: MetricsRegistry,
            serviceLogger: Logger,
            teachers: TeacherRepository,
            service: TeacherService,
          ) =>
            new ScoringLoop(
              {
                ...{ artifacts, log, streams, leases, quota, board, tables, datasets, metrics, config },
                logger: serviceLogger,
                spawn: spawnScorer,
              },
              teachers,
              service,
              overseer,
            ),
        },
      ],
    };
  }
}
