import { mkdir, writeFile } from 'node:fs/promises';
import { evaluationJsonSchema } from './spec/evaluation-json-schema.js';
import { experimentJsonSchema } from './spec/experiment-json-schema.js';

/** Writes docs/schemas: of the specs that people write, which editors complete and check them with, and of the documents that commands print. */
const schemas = { experiment: experimentJsonSchema(), evaluation: evaluationJsonSchema() };
for (const [name, schema] of Object.entries(schemas)) {
  const target = new URL(`../../../docs/schemas/${name}.schema.json`, import.meta.url);
  await mkdir(new URL('.', target), { recursive: true });
  await writeFile(target, JSON.stringify(schema));
  process.stdout.write(`wrote docs/schemas/${name}.schema.json\n`);
}
