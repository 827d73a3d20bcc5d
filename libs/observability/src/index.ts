export { busWiring, type BusWiring } from './bus-wiring.js';
export {
  commonConfig,
  computeConfig,
  databaseConfig,
  datasetsConfig,
  loadConfig,
  type DatasetsConfig,
} from './config.js';
export { HealthRegistry, type HealthCheck, type HealthReport } from './health.js';
export {
  type Logger,
  createLogger,
  currentCorrelationId,
  LOG_LEVELS,
  NestLogger,
  runInContext,
  type LogContext,
  type LogLevel,
} from './logger.js';
export {
  METRICS,
  SERVICES,
  type MetricDefinition,
  type MetricName,
  type ServiceName,
} from './metric-catalogue.js';
export { MetricsRegistry } from './metrics-registry.js';
export { LOGGER, ObservabilityModule, type ObservabilityOptions } from './observability.module.js';
export { runService, startService, type ServiceOptions } from './service-runner.js';
