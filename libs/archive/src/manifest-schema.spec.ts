import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { archiveManifestJsonSchema } from './index.js';

const published = new URL('../../../docs/schemas/stream-archive.schema.json', import.meta.url);

it('the published schema is the current one (else: npm run generate --workspace libs/archive)', async () => {
  expect(JSON.parse(await readFile(published, 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(archiveManifestJsonSchema())),
  );
});
