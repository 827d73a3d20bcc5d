import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { dataDir } from '@fidelis/embedded';
import { z } from 'zod';

type Environment = Readonly<Record<string, string | undefined>>;

const environmentSchema = z.object({
  FIDELIS_GATEWAY: z.url({ protocol: /^https?$/ }).optional(),
  FIDELIS_DATASETS_DIR: z.string().optional(),
  FIDELIS_GRAPHS_DIR: z.string().optional(),
  NO_COLOR: z.string().optional(),
  npm_lifecycle_event: z.string().optional(),
  INIT_CWD: z.string().optional(),
});

export interface CliConfig {
  /** Given by FIDELIS_GATEWAY. */
  readonly gateway: string | undefined;
  /** FIDELIS_DATA_DIR or the default of this machine. */
  readonly dataDir: string;
  /** FIDELIS_DATASETS_DIR or `datasets` in the data directory: the datasets that people have added. */
  readonly datasetsDir: string;
  /** FIDELIS_GRAPHS_DIR or that of this user: where graphs are written for TensorFlow to load, as the services do. */
  readonly graphsDir: string;
  readonly colourAllowed: boolean;
  /** Where `npm run fidelis` was typed: npm itself goes to the project's root. Absent if it did not start this process. */
  readonly callersDirectory: string | undefined;
}

/** @throws FidelisError CONFIG.INVALID */
export function cliConfig(environment: Environment): CliConfig {
  const result = environmentSchema.safeParse(environment);
  if (!result.success) {
    throw new FidelisError(
      'CONFIG.INVALID',
      `FIDELIS_GATEWAY is "${environment['FIDELIS_GATEWAY'] ?? ''}": expected a URL such as http://127.0.0.1:4000`,
    );
  }
  const {
    FIDELIS_GATEWAY,
    FIDELIS_DATASETS_DIR = '',
    FIDELIS_GRAPHS_DIR = '',
    NO_COLOR,
    npm_lifecycle_event,
    INIT_CWD,
  } = result.data;
  return {
    gateway: FIDELIS_GATEWAY,
    dataDir: dataDir(environment),
    datasetsDir:
      FIDELIS_DATASETS_DIR === '' ? join(dataDir(environment), 'datasets') : resolve(FIDELIS_DATASETS_DIR),
    graphsDir:
      FIDELIS_GRAPHS_DIR === ''
        ? join(tmpdir(), `fidelis-graphs-${process.getuid?.() ?? 'user'}`)
        : resolve(FIDELIS_GRAPHS_DIR),
    colourAllowed: NO_COLOR === undefined || NO_COLOR === '',
    callersDirectory: npm_lifecycle_event === 'fidelis' ? INIT_CWD : undefined,
  };
}
