import { parseArgs } from 'node:util';

export const HELP = `Sets up everything that Fidelis needs, once; afterwards it only looks whether anything changed.

  npm run setup -- [options]

  --only workspace   only what needs no download besides npm's: dependencies and the build
  --gpu              TensorFlow with CUDA 12 instead of the CPU's
  --retry            try again what fell back to something lesser (npm run setup always does)
  --help             this text

Environment: FIDELIS_CACHE_DIR (where downloads are kept), FIDELIS_BACKEND=wasm (do without native TensorFlow).
`;

/**
 * @typedef {{ onlyWorkspace: boolean, gpu: boolean, retry: boolean, help: boolean }} Options
 */

/**
 * @param {readonly string[]} args
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Options}
 * @throws {Error} naming the argument that is wrong
 */
export function parseOptions(args, env) {
  const { values } = parseArgs({
    args: [...args],
    allowPositionals: false,
    options: {
      only: { type: 'string' },
      gpu: { type: 'boolean', default: false },
      retry: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.only !== undefined && values.only !== 'workspace') {
    throw new Error(`--only ${values.only}: the only part that can be set up alone is "workspace"`);
  }
  return {
    onlyWorkspace: values.only === 'workspace',
    gpu: values.gpu,
    retry: values.retry || env.npm_lifecycle_event === 'setup',
    help: values.help,
  };
}
