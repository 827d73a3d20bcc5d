import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { BusHealth, BusModule } from '@fidelis/bus';
import { HealthRegistry, MetricsRegistry, ObservabilityModule, type Logger } from '@fidelis/observability';
import { ArtifactsController } from './artifacts/artifacts.controller.js';
import { busOptions } from './bus/bus-options.js';
import { BusReconnects } from './bus/bus-reconnects.js';
import { GATEWAY_CONFIG, type GatewayConfig } from './config.js';
import { EdgeModule } from './edge.module.js';
import { FramesController } from './frames/frames.controller.js';
import { GraphiqlController } from './graphiql/graphiql.controller.js';
import { ErrorReporter } from './graphql/error-reporter.js';
import { graphqlOptions } from './graphql/graphql-options.js';
import { SubscriptionServer } from './graphql/subscription-server.js';
import { JobsResolver } from './jobs/jobs.resolver.js';
import { PlatformClient } from './lookups/platform-client.js';
import { PlatformResolver } from './platform/platform.resolver.js';
import { EvaluationsResolver } from './runs/evaluations.resolver.js';
import { RunFieldsResolver } from './runs/run-fields.resolver.js';
import { RunProgressResolver } from './runs/run-progress.resolver.js';
import { RunProgressService } from './runs/run-progress.service.js';
import { RunsResolver } from './runs/runs.resolver.js';
import { StreamsResolver } from './streams/streams.resolver.js';
import { TeachersResolver } from './teachers/teachers.resolver.js';
import { VERSION } from './version.js';

@Module({})
export class AppModule implements OnModuleInit {
  constructor(
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(BusHealth) private readonly bus: BusHealth,
  ) {}

  static forRoot(config: GatewayConfig, logger: Logger): DynamicModule {
    const reconnects = new BusReconnects();
    return {
      module: AppModule,
      imports: [
        ObservabilityModule.forRoot({ service: 'gateway', version: VERSION, logger }),
        BusModule.forRootAsync({
          inject: [MetricsRegistry],
          useFactory: (metrics: MetricsRegistry) => busOptions(config, metrics, logger, reconnects),
        }),
        EdgeModule,
        GraphQLModule.forRootAsync<MercuriusDriverConfig>({
          driver: MercuriusDriver,
          imports: [EdgeModule],
          inject: [PlatformClient, ErrorReporter],
          useFactory: graphqlOptions,
        }),
      ],
      controllers: [
        ArtifactsController,
        FramesController,
        ...(config.FIDELIS_GRAPHIQL ? [GraphiqlController] : []),
      ],
      providers: [
        { provide: GATEWAY_CONFIG, useValue: config },
        { provide: BusReconnects, useValue: reconnects },
        EvaluationsResolver,
        JobsResolver,
        PlatformResolver,
        RunFieldsResolver,
        RunProgressResolver,
        RunProgressService,
        RunsResolver,
        StreamsResolver,
        SubscriptionServer,
        TeachersResolver,
      ],
    };
  }

  onModuleInit(): void {
    this.health.register('bus', () => this.bus.check());
  }
}
