import type { IConfigMap } from 'kubernetes-models/v1';
import { natsConfig, NATS_PORTS } from '../nats-config.js';
import { postgresInit } from '../postgres-init.js';
import { HTTP_PORT } from '../workloads.js';

/** Environment of every service. */
export const serviceConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'fidelis-service' },
  data: {
    FIDELIS_HTTP_HOST: '0.0.0.0',
    FIDELIS_HTTP_PORT: String(HTTP_PORT),
    FIDELIS_NATS_URL: `nats://nats:${NATS_PORTS.client}`,
    FIDELIS_LOG_LEVEL: 'info',
  },
} satisfies IConfigMap;

/** Environment of the workloads that compute. The thread count belongs to a run's record: results are bit-identical only for equal ones. */
export const computeConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'fidelis-compute' },
  data: { FIDELIS_BACKEND: 'auto', FIDELIS_THREADS: '1' },
} satisfies IConfigMap;

export const NATS_CONFIG_FILE = 'nats.conf';
export const natsConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'nats' },
  data: { [NATS_CONFIG_FILE]: natsConfig() },
} satisfies IConfigMap;

export const POSTGRES_INIT_FILE = 'init.sql';
export const postgresConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'postgres-init' },
  data: { [POSTGRES_INIT_FILE]: postgresInit() },
} satisfies IConfigMap;
