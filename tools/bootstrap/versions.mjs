/** What is fetched where the machine does not have it. */
export const NATS_VERSION = '2.15.1';
export const MIN_NATS_VERSION = '2.10.0';
export const TENSORFLOW_VERSION = '2.21.0';
export const MIN_POSTGRES_VERSION = '14.0';
export const MIN_NODE_VERSION = '20.19.0';

/**
 * Compares dotted numbers: is `version` at least `least`?
 * @param {string} version
 * @param {string} least
 * @returns {boolean}
 */
export function isAtLeast(version, least) {
  const have = version.split('.').map(Number);
  const need = least.split('.').map(Number);
  for (let index = 0; index < Math.max(have.length, need.length); index += 1) {
    const difference = (have[index] ?? 0) - (need[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/**
 * The first dotted number in a text such as the output of `--version`.
 * @param {string} text
 * @returns {string | undefined}
 */
export function firstVersion(text) {
  return /\d+(?:\.\d+)+/.exec(text)?.[0];
}
