import {
  Inject,
  Injectable,
  Module,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { PLATFORM_VERSION } from '@fidelis/contracts';
import {
  ArtifactStore,
  BusHealth,
  BusModule,
  EventPublisher,
  JobQueue,
  LogitLog,
  RunPositions,
  type BusModuleOptions,
} from '@fidelis/bus';
import {
  busWiring,
  HealthRegistry,
  LOGGER,
  MetricsRegistry,
  ObservabilityModule,
  type Logger,
} from '@fidelis/observability';
import {
  Outbox,
  outboxProvider,
  PersistenceModule,
  pingDatabase,
  withDatabaseErrors,
} from '@fidelis/persistence';
import { DataSource } from 'typeorm';
import type { TeacherConfig } from './config.js';
import { CreateTeachers } from './create-teachers.migration.js';
import { PredictionTableRow } from './scoring/prediction-table.entity.js';
import { PredictionTables } from './scoring/prediction-tables.js';
import { ScoringLoop } from './scoring/scoring-loop.js';
import { StreamController } from './streams/stream.controller.js';
import { StreamRow } from './streams/stream.entity.js';
import { StreamRepository } from './streams/stream.repository.js';
import { TeacherController } from './teachers/teacher.controller.js';
import { TeacherRow } from './teachers/teacher.entity.js';
import { TeacherRepository } from './teachers/teacher.repository.js';
import { TeacherService } from './teachers/teacher.service.js';

/** Starts what turns by itself, and stops it before the connections go. */
@Injectable()
class TeacherLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(ScoringLoop) private readonly loop: ScoringLoop,
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
export class AppModule {
  static register(config: TeacherConfig, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ObservabilityModule.forRoot({ service: 'teacher-svc', version: PLATFORM_VERSION, logger }),
        BusModule.forRootAsync({
          inject: [MetricsRegistry, LOGGER],
          useFactory: (metrics: MetricsRegistry, log: Logger): BusModuleOptions => {
            const wiring = busWiring(config, metrics, log);
            return {
              ...wiring,
              around: (context, next) => wiring.around(context, () => withDatabaseErrors(next)),
            };
          },
        }),
        PersistenceModule.forRoot({
          url: config.FIDELIS_DATABASE_URL,
          schema: 'teacher',
          entities: [TeacherRow, StreamRow, PredictionTableRow],
          migrations: [CreateTeachers],
          onRetry: (error) => logger.warn({ err: error }, 'no database yet, still trying'),
        }),
      ],
      controllers: [TeacherController, StreamController],
      providers: [
        TeacherLifecycle,
        outboxProvider('teacher', EventPublisher, LOGGER),
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
