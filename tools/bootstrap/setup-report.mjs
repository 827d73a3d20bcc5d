import { join } from 'node:path';
import { readJson, writeJson } from './files.mjs';
import { STAMPS } from './workspace.mjs';

/**
 * @typedef {{ what: string, ok: boolean, reason?: string, seconds?: number }} Attempt
 * @typedef {object} Part what the set-up knows about one thing that Fidelis needs
 * @property {boolean} ok
 * @property {string} [version]
 * @property {string} [from]
 * @property {string} [path]
 * @property {readonly Attempt[]} attempts
 * @property {string} [advice] what to do where it is missing or lesser
 */

/** Read by `fidelis doctor`. One per clone; it goes with node_modules, as what it describes does. */
const reportFile = (root) => join(root, STAMPS, 'setup.json');

const SCHEMA = 1;

/**
 * @param {string} root
 * @returns {Promise<Record<string, any>>} parts by name; none if there is no report yet
 */
export async function readReport(root) {
  const report = await readJson(reportFile(root));
  return report?.schema === SCHEMA ? report.parts : {};
}

/**
 * @param {string} root
 * @param {string} cache
 * @param {Record<string, Part>} parts
 */
export async function writeReport(root, cache, parts) {
  await writeJson(reportFile(root), {
    schema: SCHEMA,
    writtenAt: new Date().toISOString(),
    node: process.versions.node,
    cache,
    parts,
  });
}
