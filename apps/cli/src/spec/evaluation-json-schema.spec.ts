import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { evaluationJsonSchema } from './evaluation-json-schema.js';

const published = new URL('../../../../docs/schemas/evaluation.schema.json', import.meta.url);

it('the published schema is the current one (else: npm run generate --workspace apps/cli)', async () => {
  expect(JSON.parse(await readFile(published, 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(evaluationJsonSchema())),
  );
});
