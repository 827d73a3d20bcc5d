import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { z } from 'zod';
import { LOG_LEVELS } from './logger.js';

const port = z.coerce.number().int().min(0).max(65_535);

/** What every service reads from its environment. */
export const commonConfig = {
  FIDELIS_HTTP_HOST: z.string().default('127.0.0.1'),
  FIDELIS_HTTP_PORT: port.default(0),
  FIDELIS_NATS_URL: z.string().regex(/^(nats|tls|ws|wss):\/\//, 'a NATS url begins with nats://'),
  FIDELIS_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  /** Tells replicas apart in logs and in the bus's list of clients. */
  FIDELIS_INSTANCE: z.string().default(`pid-${process.pid}`),
};

export const databaseConfig = {
  FIDELIS_DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'a PostgreSQL url begins with postgres://'),
};

export const computeConfig = {
  FIDELIS_BACKEND: z.enum(['auto', 'native', 'wasm']).default('auto'),
  /** Intra-op threads: a constant and not the number of cores, because results are bit-identical only for equal thread counts. */
  FIDELIS_THREADS: z.coerce.number().int().min(1).max(256).default(1),
  /** Every operation on its own instead of a graph of each step: slower, but a debugger sees where a value comes from. */
  FIDELIS_EAGER: z.stringbool().default(false),
  /** Where graphs are written for TensorFlow to load; processes of one user may share it. The one place that containers let us write to. */
  FIDELIS_GRAPHS_DIR: z.string().default(join(tmpdir(), `fidelis-graphs-${process.getuid?.() ?? 'user'}`)),
  /** A compute process that says nothing for this long hangs: it is ended, and its work is tried again. */
  FIDELIS_CHILD_SILENCE_SECONDS: z.coerce.number().min(1).max(86_400).default(120),
};

export const datasetsConfig = {
  /** Datasets that people have added (`fidelis data add`); without it there are the built-in ones. */
  FIDELIS_DATASETS_DIR: z.string().optional(),
  /** Copies of datasets that others have added, by digest; processes of one user may share it. It may be emptied: what is needed is fetched again. */
  FIDELIS_DATASET_COPIES_DIR: z
    .string()
    .default(join(tmpdir(), `fidelis-datasets-${process.getuid?.() ?? 'user'}`)),
};

export type DatasetsConfig = z.infer<z.ZodObject<typeof datasetsConfig>>;

/** @throws FidelisError CONFIG.INVALID that names each variable */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  // An empty variable is what shells and manifests leave behind for "not set".
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new FidelisError('CONFIG.INVALID', `set these environment variables right: ${problems.join('; ')}`, {
    details: { problems },
  });
}
