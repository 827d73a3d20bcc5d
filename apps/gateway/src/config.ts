import { commonConfig, loadConfig } from '@fidelis/observability';
import { z } from 'zod';

const configSchema = z.object({
  ...commonConfig,
  /** Serves /graphiql; on in the embedded stack. */
  FIDELIS_GRAPHIQL: z.stringbool().default(false),
});

export type GatewayConfig = z.output<typeof configSchema>;

/** @throws FidelisError CONFIG.INVALID */
export function gatewayConfig(environment: Readonly<Record<string, string | undefined>>): GatewayConfig {
  return loadConfig(configSchema, environment);
}
