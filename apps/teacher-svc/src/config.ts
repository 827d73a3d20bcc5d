import {
  commonConfig,
  computeConfig,
  databaseConfig,
  datasetsConfig,
  loadConfig,
} from '@fidelis/observability';
import { z } from 'zod';

export const configSchema = z.object({
  ...commonConfig,
  ...databaseConfig,
  ...computeConfig,
  ...datasetsConfig,
  /** Kind of worker that trains teachers. */
  FIDELIS_PLACEMENT: z.enum(['cpu', 'gpu']).default('cpu'),
});
export type TeacherConfig = z.infer<typeof configSchema>;

export function readConfig(): TeacherConfig {
  return loadConfig(configSchema, process.env);
}

/** For a compute process, which is told the rest. */
export function datasetsDirectory(): string | undefined {
  return loadConfig(z.object(datasetsConfig), process.env).FIDELIS_DATASETS_DIR;
}
