import {
  commonConfig,
  computeConfig,
  databaseConfig,
  datasetsConfig,
  loadConfig,
  type DatasetsConfig,
} from '@fidelis/observability';
import { z } from 'zod';

export const configSchema = z.object({
  ...commonConfig,
  ...databaseConfig,
  ...computeConfig,
  ...datasetsConfig,
  /** Kind of worker that trains teachers. */
  FIDELIS_PLACEMENT: z.enum(['cpu', 'gpu']).default('cpu'),
  /** How far a sequence may be ahead of the fastest of its runs. */
  FIDELIS_STREAM_LEAD_STEPS: z.coerce.number().int().min(1).default(1_024),
  /** Bytes that all logit streams together may take; 0: without limit. */
  FIDELIS_STREAM_QUOTA_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(10 * 1_024 ** 3),
  /** A stream that finds no room for so long is given up. */
  FIDELIS_STREAM_QUOTA_PATIENCE_SECONDS: z.coerce.number().min(0).default(600),
  /** Lets a stream be gone on with by another backend, processor or number of threads than it was begun by. */
  FIDELIS_ALLOW_PRODUCER_CHANGE: z.stringbool().default(false),
  /** Teachers that are scored at the same time, each in a process of its own. */
  FIDELIS_SCORING_PROCESSES: z.coerce.number().int().min(1).max(64).default(2),
});
export type TeacherConfig = z.infer<typeof configSchema>;

export function readConfig(): TeacherConfig {
  return loadConfig(configSchema, process.env);
}

/** For a compute process, which is told the rest. */
export function readDatasetsConfig(): DatasetsConfig {
  return loadConfig(z.object(datasetsConfig), process.env);
}
