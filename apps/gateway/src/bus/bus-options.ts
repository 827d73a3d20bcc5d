import type { BusModuleOptions } from '@fidelis/bus';
import { busWiring, type Logger, type MetricsRegistry } from '@fidelis/observability';
import type { GatewayConfig } from '../config.js';
import type { BusReconnects } from './bus-reconnects.js';

export function busOptions(
  config: GatewayConfig,
  metrics: MetricsRegistry,
  logger: Logger,
  reconnects: BusReconnects,
): BusModuleOptions {
  const { observer, ...wiring } = busWiring(config, metrics, logger);
  return {
    ...wiring,
    observer: {
      ...observer,
      reconnected: () => {
        observer.reconnected();
        reconnects.notify();
      },
    },
    // Calls and live events need no stream: the gateway has no rights to create any.
    topology: 'expect',
  };
}
