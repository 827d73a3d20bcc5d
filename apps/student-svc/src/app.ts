import 'reflect-metadata';
import { Module, type DynamicModule, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { PLATFORM_VERSION } from '@fidelis/contracts';
import { BusModule, JetStreamStrategy, type BusModuleOptions } from '@fidelis/bus';
import {
  busWiring,
  LOGGER,
  MetricsRegistry,
  NestLogger,
  ObservabilityModule,
  type Logger,
} from '@fidelis/observability';
import { withDatabaseErrors } from '@fidelis/persistence';
import type { StudentConfig } from './config.js';
import { ControlModule } from './control/control.module.js';
import { WorkerModule } from './worker/worker.module.js';

@Module({})
class AppModule {
  static register(config: StudentConfig, logger: Logger): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ObservabilityModule.forRoot({ service: 'student-svc', version: PLATFORM_VERSION, logger }),
        BusModule.forRootAsync({
          inject: [MetricsRegistry, LOGGER],
          useFactory: (metrics: MetricsRegistry, log: Logger): BusModuleOptions => {
            const wiring = busWiring(config, metrics, log);
            const placement = config.FIDELIS_ROLE === 'worker' ? config.FIDELIS_PLACEMENT : 'cpu';
            return {
              ...wiring,
              placement,
              around: (context, next) => wiring.around(context, () => withDatabaseErrors(next)),
            };
          },
        }),
        config.FIDELIS_ROLE === 'control'
          ? ControlModule.register(config, logger)
          : WorkerModule.register(config),
      ],
    };
  }
}

/** student-svc in one of its two roles: `control` plans and records, `worker` trains. */
export async function createApp(config: StudentConfig, logger: Logger): Promise<INestApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(config, logger),
    new FastifyAdapter(),
    {
      logger: new NestLogger(logger),
      abortOnError: false,
    },
  );
  app.connectMicroservice({ strategy: app.get(JetStreamStrategy) }, { inheritAppConfig: true });
  return app;
}
