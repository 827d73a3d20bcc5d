import { readFile } from 'node:fs/promises';
import { datasetCatalogue } from '@fidelis/data';
import { parseSpec, type SpecFile } from './read-spec.js';

export const DEMO_SPEC = 'examples/lenet5-mnist.yaml';

/** The demo is an example like the others, the same from `src` and from `dist`. */
export async function readDemoSpec(): Promise<SpecFile> {
  const text = await readFile(new URL(`../../../../${DEMO_SPEC}`, import.meta.url), 'utf8');
  return parseSpec(DEMO_SPEC, text, { known: datasetCatalogue() });
}
