import { Inject, Injectable, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import {
  ArtifactStore,
  BusHealth,
  EventPublisher,
  LogitLog,
  PredictionPublisher,
  RunPositions,
} from '@fidelis/bus';
import { HealthRegistry, LOGGER, MetricsRegistry, type Logger } from '@fidelis/observability';
import type { WorkerConfig } from '../config.js';
import { TrainingHandler } from './training.handler.js';
import { TrainingSessions } from './training-sessions.js';
import { WORKER_CONFIG } from './worker-config.token.js';

@Injectable()
class WorkerLifecycle implements OnApplicationBootstrap {
  constructor(
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(BusHealth) private readonly bus: BusHealth,
  ) {}

  onApplicationBootstrap(): void {
    this.health.register('nats', () => this.bus.check());
  }
}

@Module({})
export class WorkerModule {
  static register(config: WorkerConfig): DynamicModule {
    return {
      module: WorkerModule,
      controllers: [TrainingHandler],
      providers: [
        WorkerLifecycle,
        { provide: WORKER_CONFIG, useValue: config },
        {
          provide: TrainingSessions,
          inject: [
            ArtifactStore,
            EventPublisher,
            LogitLog,
            PredictionPublisher,
            RunPositions,
            MetricsRegistry,
            LOGGER,
          ],
          useFactory: (
            artifacts: ArtifactStore,
            events: EventPublisher,
            logits: LogitLog,
            predictions: PredictionPublisher,
            positions: RunPositions,
            metrics: MetricsRegistry,
            logger: Logger,
          ) =>
            new TrainingSessions({
              artifacts,
              events,
              logits,
              predictions,
              positions,
              metrics,
              logger,
              config,
            }),
        },
      ],
    };
  }
}
