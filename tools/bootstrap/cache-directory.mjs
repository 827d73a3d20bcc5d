import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where downloaded and compiled parts are kept, shared between clones. The same rule as cacheDir() of @fidelis/embedded, which does not
 * exist yet when the set-up begins.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {boolean} [asRoot]
 * @returns {string}
 */
export function cacheDirectory(env, asRoot = process.getuid?.() === 0) {
  if (env.FIDELIS_CACHE_DIR) return resolve(env.FIDELIS_CACHE_DIR);
  if (asRoot) return '/var/cache/fidelis';
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fidelis');
}
