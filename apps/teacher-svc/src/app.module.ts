import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ArtifactStore, JobQueue, LogitLog, RunPositions } from '@fidelis/bus';
import { LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { Outbox } from '@fidelis/persistence';
import { ServiceCoreModule, ServiceDatabaseModule } from '@fidelis/service';
import { DataSource } from 'typeorm';
import { AddEnsembles } from './add-ensembles.migration.js';
import { AddExecution } from './add-execution.migration.js';
import { AddStreamRuns } from './add-stream-runs.migration.js';
import type { TeacherConfig } from './config.js';
import { CreateTeachers } from './create-teachers.migration.js';
import { PredictionTableRow } from './scoring/prediction-table.entity.js';
import { PredictionTables } from './scoring/prediction-tables.js';
import { ScoringLoop } from './scoring/scoring-loop.js';
import { StreamController } from './streams/stream.controller.js';
import { StreamRunRow } from './streams/stream-run.entity.js';
import { StreamRow } from './streams/stream.entity.js';
import { StreamRepository } from './streams/stream.repository.js';
import { TeacherController } from './teachers/teacher.controller.js';
import { TeacherRow } from './teachers/teacher.entity.js';
import { TeacherRepository } from './teachers/teacher.repository.js';
import { TeacherService } from './teachers/teacher.service.js';

/** Starts what turns by itself, and stops it before the connections go. */
@Injectable()
class ScoringLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(ScoringLoop) private readonly loop: ScoringLoop) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
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
          migrations: [CreateTeachers, AddEnsembles, AddExecution, AddStreamRuns],
          logger,
        }),
      ],
      controllers: [TeacherController, StreamController],
      providers: [
        ScoringLifecycle,
        {
          provide: TeacherRepository,
          inject: [DataSource, Outbox],
          useFactory: (dataSource: DataSource, outbox: Outbox) => new TeacherRepository(dataSource, outbox),
        },
        {
          provide: StreamRepository,
          inject: [DataSource, Outbox],
          useFactory: (dataSource: DataSource, outbox: Outbox) => new StreamRepository(dataSource, outbox),
        },
        {
          provide: PredictionTables,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => new PredictionTables(dataSource),
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
            PredictionTables,
            MetricsRegistry,
            LOGGER,
            TeacherRepository,
            TeacherService,
          ],
          useFactory: (
            artifacts: ArtifactStore,
            log: LogitLog,
            streams: StreamRepository,
            tables: PredictionTables,
            metrics: MetricsRegistry,
            serviceLogger: Logger,
            teachers: TeacherRepository,
            service: TeacherService,
          ) =>
            new ScoringLoop(
              { artifacts, log, streams, tables, metrics, logger: serviceLogger, config },
              teachers,
              service,
            ),
        },
      ],
    };
  }
}
