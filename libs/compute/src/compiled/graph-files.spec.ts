import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphFiles } from './graph-files.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fidelis-graphs-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Twenty graphs; fails unless each is whole right after it was placed. */
const WRITER = `
import { readFileSync } from 'node:fs';
import { GraphFiles } from './graph-files.mjs';
const files = new GraphFiles(process.argv[2]);
for (let i = 0; i < 20; i++) {
  const graph = new Uint8Array(30_000).fill(i);
  if (!readFileSync(files.place(graph) + '/saved_model.pb').equals(graph)) process.exit(1);
}
`;

const graph = Uint8Array.from({ length: 50_000 }, (_, i) => i % 251);

describe('GraphFiles', () => {
  it('writes a graph once, under a name that its bytes decide', () => {
    const first = new GraphFiles(directory).place(graph);
    expect(new GraphFiles(directory).place(graph)).toBe(first);
    expect(new GraphFiles(directory).place(graph.slice(1))).not.toBe(first);
    expect(readFileSync(join(first, 'saved_model.pb')).equals(graph)).toBe(true);
    expect(readdirSync(directory)).toHaveLength(2);
  });

  it.each([
    ['cut off', (file: string) => writeFileSync(file, graph.subarray(0, 100))],
    ['gone', (file: string) => rmSync(file)],
  ])('writes a graph anew whose file is %s', (_, damage) => {
    const file = join(new GraphFiles(directory).place(graph), 'saved_model.pb');
    damage(file);
    new GraphFiles(directory).place(graph);
    expect(readFileSync(file).equals(graph)).toBe(true);
  });

  it('removes what a killed process left behind, and nothing of a live one', () => {
    const [abandoned, fresh] = ['.draft-dead', '.draft-live'].map((name) => join(directory, name));
    for (const draft of [abandoned, fresh]) mkdirSync(draft ?? '');
    const yesterday = Date.now() / 1_000 - 86_400;
    utimesSync(abandoned ?? '', yesterday, yesterday);
    new GraphFiles(directory).place(graph);
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual(['.draft-live']);
  });

  it('is shared by processes that write the same graphs at once', async () => {
    const { outputText } = transpileModule(
      readFileSync(new URL('./graph-files.ts', import.meta.url), 'utf8'),
      { compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 } },
    );
    writeFileSync(join(directory, 'graph-files.mjs'), outputText);
    const script = join(directory, 'writer.mjs');
    writeFileSync(script, WRITER);
    const shared = join(directory, 'shared');
    const writers = Array.from({ length: 3 }, () => fork(script, [shared]));
    const codes = await Promise.all(writers.map(async (writer) => (await once(writer, 'exit'))[0] as number));
    expect(codes).toEqual([0, 0, 0]);
    expect(readdirSync(shared)).toHaveLength(20);
  });
});
