import { commonConfig, databaseConfig, datasetsConfig, loadConfig } from '@fidelis/observability';
import { z } from 'zod';

/** A longer timer than this many milliseconds fires at once. */
const MAX_TIMER_SECONDS = Math.floor((2 ** 31 - 1) / 1_000);

export const configSchema = z.object({
  ...commonConfig,
  ...databaseConfig,
  ...datasetsConfig,
  /** Bins of the expected calibration error (TorchMetrics' convention). */
  FIDELIS_ECE_BINS: z.coerce.number().int().min(1).max(1_000).default(15),
  /** A finished run's series leave /metrics after this. */
  FIDELIS_SERIES_TTL_SECONDS: z.coerce.number().min(0).max(MAX_TIMER_SECONDS).default(900),
});
export type MetricsConfig = z.infer<typeof configSchema>;

export function readConfig(): MetricsConfig {
  return loadConfig(configSchema, process.env);
}
