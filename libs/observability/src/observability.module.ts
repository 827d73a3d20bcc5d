import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { HealthController, HealthRegistry } from './health.js';
import type { ServiceName } from './metric-catalogue.js';
import { MetricsController } from './metrics.controller.js';
import { MetricsRegistry } from './metrics-registry.js';

/** Injection token of the service's pino logger. */
export const LOGGER = Symbol('fidelis.logger');

export interface ObservabilityOptions {
  readonly service: ServiceName;
  readonly version: string;
  readonly logger: Logger;
}

@Global()
@Module({})
export class ObservabilityModule {
  static forRoot(options: ObservabilityOptions): DynamicModule {
    return {
      module: ObservabilityModule,
      controllers: [HealthController, MetricsController],
      providers: [
        HealthRegistry,
        { provide: MetricsRegistry, useFactory: () => new MetricsRegistry(options.service, options.version) },
        { provide: LOGGER, useValue: options.logger },
      ],
      exports: [HealthRegistry, MetricsRegistry, LOGGER],
    };
  }
}
