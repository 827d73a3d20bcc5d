import { commonConfig, computeConfig, databaseConfig, loadConfig } from '@fidelis/observability';
import { z } from 'zod';

export const configSchema = z.object({
  ...commonConfig,
  ...databaseConfig,
  ...computeConfig,
  /** Kind of worker that trains teachers. */
  FIDELIS_PLACEMENT: z.enum(['cpu', 'gpu']).default('cpu'),
});
export type TeacherConfig = z.infer<typeof configSchema>;

export function readConfig(): TeacherConfig {
  return loadConfig(configSchema, process.env);
}
