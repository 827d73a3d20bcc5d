import { Module, type DynamicModule } from '@nestjs/common';
import { ArtifactStore, RpcClient } from '@fidelis/bus';
import { loadDatasetOf } from '@fidelis/data';
import { LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { Outbox } from '@fidelis/persistence';
import { DatasetCopies, ServiceCoreModule, ServiceDatabaseModule } from '@fidelis/service';
import { DataSource } from 'typeorm';
import type { MetricsConfig } from './config.js';
import { CreateEvaluations } from './evaluations/create-evaluations.migration.js';
import { DetailsRepository } from './evaluations/details.repository.js';
import { EvaluationDetailsRow } from './evaluations/evaluation-details.entity.js';
import { EvaluationQueriesController } from './evaluations/evaluation-queries.controller.js';
import { EvaluationController } from './evaluations/evaluation.controller.js';
import { EvaluationRow } from './evaluations/evaluation.entity.js';
import { EvaluationRepository } from './evaluations/evaluation.repository.js';
import { KeepEvaluationDetails } from './evaluations/keep-evaluation-details.migration.js';
import { PartScorer } from './evaluations/part-scorer.js';
import { ScoredRangeRow } from './evaluations/scored-range.entity.js';
import { EvaluationSeries } from './evaluations/series.js';
import { TeacherTables } from './evaluations/teacher-tables.js';

const MILLISECONDS = 1_000;

@Module({})
export class AppModule {
  static register(config: MetricsConfig, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ServiceCoreModule.register({ service: 'metrics-svc', config, logger }),
        ServiceDatabaseModule.register({
          config,
          schema: 'metrics',
          entities: [EvaluationRow, EvaluationDetailsRow, ScoredRangeRow],
          migrations: [CreateEvaluations, KeepEvaluationDetails],
          logger,
        }),
      ],
      controllers: [EvaluationController, EvaluationQueriesController],
      providers: [
        {
          provide: EvaluationRepository,
          inject: [DataSource, Outbox],
          useFactory: (dataSource: DataSource, outbox: Outbox) =>
            new EvaluationRepository(dataSource, outbox),
        },
        {
          provide: DetailsRepository,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => new DetailsRepository(dataSource),
        },
        {
          provide: PartScorer,
          inject: [RpcClient, ArtifactStore, LOGGER],
          useFactory: (rpc: RpcClient, artifacts: ArtifactStore, log: Logger) => {
            const copies = new DatasetCopies(artifacts, rpc, log);
            return new PartScorer(
              new TeacherTables(rpc, artifacts),
              config.FIDELIS_ECE_BINS,
              async (dataset) => {
                await copies.ensure([dataset]);
                return loadDatasetOf(dataset);
              },
            );
          },
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
