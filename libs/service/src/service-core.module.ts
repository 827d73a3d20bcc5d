import { Inject, Injectable, Module, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common';
import { BusHealth, BusModule, type BusModuleOptions } from '@fidelis/bus';
import type { Placement } from '@fidelis/contracts';
import { PLATFORM_VERSION } from '@fidelis/contracts';
import {
  busWiring,
  HealthRegistry,
  LOGGER,
  MetricsRegistry,
  ObservabilityModule,
  type Logger,
  type ServiceName,
} from '@fidelis/observability';
import { withDatabaseErrors } from '@fidelis/persistence';

export interface ServiceCoreOptions {
  readonly service: ServiceName;
  readonly config: { readonly FIDELIS_NATS_URL: string; readonly FIDELIS_INSTANCE: string };
  readonly logger: Logger;
  /** Whose jobs the service takes. @default 'cpu' */
  readonly placement?: Placement;
}

@Injectable()
class BusReadiness implements OnApplicationBootstrap {
  constructor(
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(BusHealth) private readonly bus: BusHealth,
  ) {}

  onApplicationBootstrap(): void {
    this.health.register('nats', () => this.bus.check());
  }
}

/** What every service on the bus has: logs, metrics, health and the bus, wired to each other. */
@Module({})
export class ServiceCoreModule {
  static register({ service, config, logger, placement }: ServiceCoreOptions): DynamicModule {
    return {
      module: ServiceCoreModule,
      imports: [
        ObservabilityModule.forRoot({ service, version: PLATFORM_VERSION, logger }),
        BusModule.forRootAsync({
          inject: [MetricsRegistry, LOGGER],
          useFactory: (metrics: MetricsRegistry, log: Logger): BusModuleOptions => {
            const wiring = busWiring(config, metrics, log);
            return {
              ...wiring,
              placement,
              around: (context, next) => wiring.around(context, () => withDatabaseErrors(next)),
            };
          },
        }),
      ],
      providers: [BusReadiness],
    };
  }
}
