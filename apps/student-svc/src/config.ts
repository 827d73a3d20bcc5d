import {
  commonConfig,
  computeConfig,
  databaseConfig,
  datasetsConfig,
  loadConfig,
  type DatasetsConfig,
} from '@fidelis/observability';
import { z } from 'zod';

const common = { ...commonConfig, ...datasetsConfig };

const controlConfig = z.object({
  ...common,
  ...databaseConfig,
  FIDELIS_ROLE: z.literal('control'),
});

const workerConfig = z.object({
  ...common,
  ...computeConfig,
  FIDELIS_ROLE: z.literal('worker'),
  FIDELIS_PLACEMENT: z.enum(['cpu', 'gpu']).default('cpu'),
  /** Lets a training go on from a checkpoint that another backend, version or number of threads computed. */
  FIDELIS_ALLOW_PRODUCER_CHANGE: z.stringbool().default(false),
  /** Deliveries of a training without checkpoint progress after which it is given up. */
  FIDELIS_MAX_ATTEMPTS: z.coerce.number().int().min(1).default(5),
});

export const configSchema = z.discriminatedUnion('FIDELIS_ROLE', [controlConfig, workerConfig], {
  error: 'must be control or worker',
});
export type ControlConfig = z.infer<typeof controlConfig>;
export type WorkerConfig = z.infer<typeof workerConfig>;
export type StudentConfig = z.infer<typeof configSchema>;

export function readConfig(): StudentConfig {
  return loadConfig(configSchema, process.env);
}

/** For a compute process, which is told the rest. */
export function readDatasetsConfig(): DatasetsConfig {
  return loadConfig(z.object(datasetsConfig), process.env);
}
