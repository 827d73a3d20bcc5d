import { readFile } from 'node:fs/promises';
import { ARCHITECTURES } from '@fidelis/contracts';
import { expect, it } from 'vitest';
import { experimentJsonSchema } from './experiment-json-schema.js';
import { schemaAt } from './schema-lookup.js';

const published = new URL('../../../../docs/schemas/experiment.schema.json', import.meta.url);

it('the published schema is the current one (else: npm run generate --workspace apps/cli)', async () => {
  expect(JSON.parse(await readFile(published, 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(experimentJsonSchema())),
  );
});

it('an architecture may be written as its bare name', () => {
  for (const path of [
    ['student', 'architecture'],
    ['teacher', 'architecture'],
  ]) {
    const schema = schemaAt(experimentJsonSchema(), path, { teacher: { architecture: 'lenet5', train: {} } });
    expect(schema?.anyOf?.[0]).toEqual({ type: 'string', enum: [...ARCHITECTURES] });
    expect(schema?.anyOf?.[1]?.properties).toHaveProperty('hiddenUnits');
  }
});

it('fields with defaults may be left out', () => {
  expect(experimentJsonSchema().required).toEqual(['name', 'dataset', 'teacher', 'student']);
});
