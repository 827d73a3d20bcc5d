import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generated-files.js';

const directory = fileURLToPath(new URL('../generated', import.meta.url));

// Emptied first: a file that is no longer generated must not stay behind.
rmSync(directory, { recursive: true, force: true });
const files = generatedFiles();
for (const [name, text] of files) {
  const path = join(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
process.stdout.write(`${files.size} files written to deploy/generated\n`);
