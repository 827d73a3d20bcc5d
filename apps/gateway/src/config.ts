import { commonConfig, loadConfig } from '@fidelis/observability';
import { z } from 'zod';

const configSchema = z.object({
  ...commonConfig,
  /** Serves /graphiql; on in the embedded stack. */
  FIDELIS_GRAPHIQL: z.stringbool().default(false),
  /** Of one artifact that is put over HTTP. */
  FIDELIS_UPLOAD_LIMIT_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(4 * 1_024 ** 3),
});

export const GATEWAY_CONFIG = Symbol('fidelis.gateway-config');
export type GatewayConfig = z.output<typeof configSchema>;

/** @throws FidelisError CONFIG.INVALID */
export function gatewayConfig(environment: Readonly<Record<string, string | undefined>>): GatewayConfig {
  return loadConfig(configSchema, environment);
}
