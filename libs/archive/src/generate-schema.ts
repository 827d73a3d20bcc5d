import { mkdir, writeFile } from 'node:fs/promises';
import { archiveManifestJsonSchema } from './archive-manifest.js';

/** Writes docs/schemas/stream-archive.schema.json: of the manifests that people write for an import. */
const target = new URL('../../../docs/schemas/stream-archive.schema.json', import.meta.url);
await mkdir(new URL('.', target), { recursive: true });
await writeFile(target, JSON.stringify(archiveManifestJsonSchema()));
process.stdout.write('wrote docs/schemas/stream-archive.schema.json\n');
