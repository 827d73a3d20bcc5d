import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readAddonSources } from './addon-sources.mjs';

let directory;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fidelis-addon-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const insertion = { file: 'a.h', anchor: '// here\n', text: '// ours\n' };

describe('the sources of the addon', () => {
  it('are the package’s, with our entry points declared, joined and exported', async () => {
    const require = createRequire(import.meta.url);
    const packageRoot = dirname(require.resolve('@tensorflow/tfjs-node/package.json'));
    const sources = await readAddonSources(join(packageRoot, 'binding'));
    expect([...sources.keys()]).toEqual([...sources.keys()].sort());
    expect(sources.get('tfjs_backend.h')).toContain('TFE_Context *context() const');
    for (const name of ['registerFunction', 'removeFunction', 'inferShapes', 'listDevices']) {
      expect(sources.get('tfjs_binding.cc')).toContain(`{"${name}", nullptr,`);
    }
    expect(sources.get('fidelis_functions.cc')).toContain('TFE_ContextAddFunction');
  });

  it('have the text after the anchor', async () => {
    await writeFile(join(directory, 'a.h'), 'before\n// here\nafter\n');
    const sources = await readAddonSources(directory, [insertion]);
    expect(sources.get('a.h')).toBe('before\n// here\n// ours\nafter\n');
  });

  it.each([
    ['is gone', 'before\nafter\n', 'stands there 0 times'],
    ['is there twice', '// here\n// here\n', 'stands there 2 times'],
  ])('are refused if an anchor %s, and it is named', async (_, text, found) => {
    await writeFile(join(directory, 'a.h'), text);
    await expect(readAddonSources(directory, [insertion])).rejects.toThrow(`"// here", and it ${found}`);
  });

  it('are refused if a file is gone', async () => {
    await expect(readAddonSources(directory, [insertion])).rejects.toThrow(
      'a.h after "// here", and there is no such file',
    );
  });
});
