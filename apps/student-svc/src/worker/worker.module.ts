import { Module, type DynamicModule } from '@nestjs/common';
import {
  ArtifactStore,
  EventPublisher,
  LogitLog,
  PredictionPublisher,
  RpcClient,
  RunPositions,
} from '@fidelis/bus';
import { LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import { DatasetCopies } from '@fidelis/service';
import type { WorkerConfig } from '../config.js';
import { TrainingHandler } from './training.handler.js';
import { TrainingSessions } from './training-sessions.js';
import { WORKER_CONFIG } from './worker-config.token.js';

@Module({})
export class WorkerModule {
  static register(config: WorkerConfig): DynamicModule {
    return {
      module: WorkerModule,
      controllers: [TrainingHandler],
      providers: [
        { provide: WORKER_CONFIG, useValue: config },
        {
          provide: TrainingSessions,
          inject: [
            ArtifactStore,
            EventPublisher,
            LogitLog,
            PredictionPublisher,
            RunPositions,
            RpcClient,
            MetricsRegistry,
            LOGGER,
          ],
          useFactory: (
            artifacts: ArtifactStore,
            events: EventPublisher,
            logits: LogitLog,
            predictions: PredictionPublisher,
            positions: RunPositions,
            rpc: RpcClient,
            metrics: MetricsRegistry,
            logger: Logger,
          ) =>
            new TrainingSessions({
              artifacts,
              events,
              logits,
              predictions,
              positions,
              datasets: new DatasetCopies(artifacts, rpc, logger),
              metrics,
              logger,
              config,
            }),
        },
      ],
    };
  }
}
