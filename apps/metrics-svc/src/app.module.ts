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
  RpcClient,
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
import type { MetricsConfig } from './config.js';
import { CreateEvaluations } from './evaluations/create-evaluations.migration.js';
import { EvaluationController } from './evaluations/evaluation.controller.js';
import { EvaluationRow } from './evaluations/evaluation.entity.js';
import { EvaluationRepository } from './evaluations/evaluation.repository.js';
import { PartScorer } from './evaluations/part-scorer.js';
import { ScoredPartRow } from './evaluations/scored-part.entity.js';
import { EvaluationSeries } from './evaluations/series.js';
import { TeacherTables } from './evaluations/teacher-tables.js';

const MILLISECONDS = 1_000;

@Injectable()
class MetricsLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    @Inject(EvaluationSeries) private readonly series: EvaluationSeries,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(BusHealth) private readonly bus: BusHealth,
    @Inject(DataSource) private readonly dataSource: DataSource,
  ) {}

  onApplicationBootstrap(): void {
    this.health.register('nats', () => this.bus.check());
    this.health.register('database', () => pingDatabase(this.dataSource));
    this.outbox.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.series.close();
    await this.outbox.stop();
  }
}

@Module({})
export class AppModule {
  static register(config: MetricsConfig, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ObservabilityModule.forRoot({ service: 'metrics-svc', version: PLATFORM_VERSION, logger }),
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
          schema: 'metrics',
          entities: [EvaluationRow, ScoredPartRow],
          migrations: [CreateEvaluations],
          onRetry: (error) => logger.warn({ err: error }, 'no database yet, still trying'),
        }),
      ],
      controllers: [EvaluationController],
      providers: [
        MetricsLifecycle,
        outboxProvider('metrics', EventPublisher, LOGGER),
        {
          provide: EvaluationRepository,
          inject: [DataSource, Outbox],
          useFactory: (dataSource: DataSource, outbox: Outbox) =>
            new EvaluationRepository(dataSource, outbox),
        },
        {
          provide: PartScorer,
          inject: [RpcClient, ArtifactStore],
          useFactory: (rpc: RpcClient, artifacts: ArtifactStore) =>
            new PartScorer(new TeacherTables(rpc, artifacts), config.FIDELIS_ECE_BINS),
        },
        {
          provide: EvaluationSeries,
          inject: [MetricsRegistry],
          useFactory: (metrics: MetricsRegistry) =>
            new EvaluationSeries(metrics, config.FIDELIS_SERIES_TTL_SECONDS * MILLISECONDS),
        },
      ],
    };
  }
}
