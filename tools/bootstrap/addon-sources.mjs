import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OWN_SOURCES = fileURLToPath(new URL('native/', import.meta.url));

/**
 * @typedef {object} Insertion
 * @property {string} file of the package
 * @property {string} anchor must stand in it exactly once; the text comes after it
 * @property {string} text
 */

/** What joins the sources in tools/bootstrap/native to those of tfjs-node's addon. */
const INSERTIONS = /** @type {readonly Insertion[]} */ ([
  {
    file: 'tfjs_backend.h',
    anchor: '  napi_value GetNumOfTensors(napi_env env);\n',
    text: '\n  TFE_Context *context() const { return tfe_context_; }\n',
  },
  {
    file: 'tfjs_binding.cc',
    anchor: '#include "tfjs_backend.h"\n',
    text: '#include "fidelis_functions.h"\n',
  },
  {
    file: 'tfjs_binding.cc',
    anchor: '  napi_property_descriptor exports_properties[] = {\n',
    text: ['RegisterFunction', 'RemoveFunction', 'InferShapes', 'ListDevices']
      .map((name) => {
        const exported = `${name.slice(0, 1).toLowerCase()}${name.slice(1)}`;
        return `      {"${exported}", nullptr, ${name}, nullptr, nullptr, nullptr, napi_default, nullptr},\n`;
      })
      .join(''),
  },
]);

/**
 * The sources of the addon: the package's, with our entry points joined to them.
 * @param {string} bindingDirectory of the package
 * @param {readonly Insertion[]} [insertions]
 * @returns {Promise<Map<string, string>>} text by file name, in the order of the names
 * @throws {Error} naming the anchor that is not there, or more than once: the package has changed
 */
export async function readAddonSources(bindingDirectory, insertions = INSERTIONS) {
  const sources = new Map([...(await readSources(bindingDirectory)), ...(await readSources(OWN_SOURCES))]);
  for (const { file, anchor, text } of insertions) {
    const source = sources.get(file);
    const parts = source?.split(anchor) ?? [];
    if (parts.length !== 2) {
      const found =
        source === undefined ? 'there is no such file' : `it stands there ${parts.length - 1} times`;
      throw new Error(
        `the sources of tfjs-node's addon have changed: the entry points of Fidelis go into ${file} after ${JSON.stringify(anchor.trim())}, and ${found}`,
      );
    }
    sources.set(file, parts.join(`${anchor}${text}`));
  }
  return new Map([...sources].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Names what is compiled: another digest, another addon.
 * @param {string} packageRoot
 */
export async function addonDigest(packageRoot) {
  const hash = createHash('sha256');
  for (const [name, text] of await readAddonSources(join(packageRoot, 'binding')))
    hash.update(name).update(text);
  return hash.digest('hex').slice(0, 12);
}

/** @param {string} directory */
async function readSources(directory) {
  const names = (await readdir(directory)).filter((name) => /\.(cc|h)$/.test(name));
  return Promise.all(names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')]));
}
