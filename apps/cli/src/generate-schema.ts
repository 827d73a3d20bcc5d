import { mkdir, writeFile } from 'node:fs/promises';
import { experimentJsonSchema } from './spec/experiment-json-schema.js';

/** Writes docs/schemas/experiment.schema.json, which editors complete and check specs with. */
const target = new URL('../../../docs/schemas/experiment.schema.json', import.meta.url);
await mkdir(new URL('.', target), { recursive: true });
await writeFile(target, JSON.stringify(experimentJsonSchema()));
process.stdout.write('wrote docs/schemas/experiment.schema.json\n');
