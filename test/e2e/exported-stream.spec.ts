import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ExperimentSpecInput } from '@fidelis/contracts';
import { createTemporaryDirectory, waitFor, type TemporaryDirectory } from '@fidelis/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Command, type CommandEnd } from './command.js';
import { RunningStack, smallSpec, type Run } from './running-stack.js';

const SPEC = smallSpec({
  name: 'original',
  view: { kind: 'sequence', subset: { size: 640 }, augmentation: [{ kind: 'random-shift', maxPixels: 2 }] },
});

interface Imported {
  readonly teacher: string;
  readonly streamKey: string;
  readonly steps: number;
  readonly spec: Pick<ExperimentSpecInput, 'dataset' | 'teacher' | 'view' | 'codec'>;
}

describe('a stream that is exported and imported where its teacher never was', () => {
  let files: TemporaryDirectory;
  let directory: string;
  let original: Run;

  const command = async (stack: RunningStack, ...args: string[]): Promise<CommandEnd> =>
    new Command([...args, '--gateway', stack.stack.gatewayUrl]).ended;

  beforeAll(async () => {
    files = await createTemporaryDirectory('exported');
    directory = path.join(files.path, 'stream');
    await using stack = await RunningStack.start();
    original = await stack.finished(await stack.startRun(SPEC));
    expect(original).toMatchObject({ state: 'completed', error: null });
    const key = original.lineage.streamKey ?? '';
    const end = await command(stack, 'stream', 'export', key, '-o', directory, '--json');
    expect(end.status, end.stderr).toBe(0);
    expect(JSON.parse(end.stdout)).toMatchObject({
      manifest: { streamKey: key, firstStep: 0, steps: 30, rows: 1_920 },
    });
    // Nothing is written over.
    const again = await command(stack, 'stream', 'export', key, '-o', directory);
    expect(again).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('no empty directory') as string,
    });
    const unknown = await command(stack, 'stream', 'export', '0'.repeat(16), '-o', `${directory}-none`);
    expect(unknown.stderr).toContain('STREAM.NOT_FOUND');
    expect(await readdir(files.path)).toEqual(['stream']);
  });

  afterAll(() => files.remove());

  it('gives the same student, bit for bit, also after its log was removed; and says what it does not have', async () => {
    await using stack = await RunningStack.start();
    const end = await command(stack, 'stream', 'import', directory, '--json');
    expect(end.status, end.stderr).toBe(0);
    const imported = JSON.parse(end.stdout) as Imported;
    expect(imported).toMatchObject({ streamKey: original.lineage.streamKey, steps: 30 });
    const spec = { ...SPEC, ...imported.spec, student: SPEC.student };

    const run = await stack.finished(await stack.startRun({ ...spec, name: 'imported' }));
    expect(run).toMatchObject({ state: 'completed', error: null, frames: original.frames });
    expect(run.lineage).toEqual({ ...original.lineage, teacherId: imported.teacher });
    expect(run.evaluations).toEqual(original.evaluations);

    // Its artifacts are its teacher's: they outlive the log, and a collection of garbage.
    expect(await command(stack, 'stream', 'rm', imported.streamKey)).toMatchObject({ status: 0 });
    expect(await command(stack, 'gc', '--yes', '--older-than', '1s')).toMatchObject({ status: 0 });
    const anew = await stack.finished(await stack.startRun({ ...spec, name: 'anew' }));
    expect(anew.lineage.weightsDigest).toBe(original.lineage.weightsDigest);

    const longer = { ...spec, name: 'longer', student: { ...SPEC.student, epochs: 4 } };
    const beyond = await stack.finished(await stack.startRun(longer));
    expect(beyond).toMatchObject({ state: 'failed', error: { code: 'STREAM.GONE' } });
    expect(beyond.error?.message).toMatch(/steps 0 to 29 are stored; this run wants steps 0 to 39/);
    expect(beyond.error?.message).toContain('fidelis stream import');
    // What was read on the way goes with the process that read it.
    const scratch = path.join(stack.stack.dataDir, 'tmp', 'fidelis-archives');
    await waitFor(async () => (await readdir(scratch)).length === 0, {
      what: 'nothing to be left of the files',
    });
  });

  it('is refused where manifest and shards disagree, and where it is of other data', async () => {
    await using stack = await RunningStack.start();
    const manifestFile = path.join(directory, 'manifest.json');
    const manifest = await readFile(manifestFile, 'utf8');
    const refused = async (changed: string): Promise<CommandEnd> => {
      await writeFile(manifestFile, changed);
      const end = await command(stack, 'stream', 'import', directory);
      await writeFile(manifestFile, manifest);
      return end;
    };
    const otherSteps = await refused(manifest.replace(/"steps": 30/g, '"steps": 29'));
    expect(otherSteps).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('ARCHIVE.INVALID') as string,
    });
    const shard = await refused(manifest.replace(/"sha256": "[0-9a-f]{8}/, '"sha256": "00000000'));
    expect(shard.stderr).toMatch(/ARCHIVE.INVALID.*shard-00000.arrow/s);
    const answer = await stack.graphql('{ teachers { id } }');
    expect(answer.data).toEqual({ teachers: [] });
    // Not through the command, which would have said it first.
    const files = [
      { file: 'manifest.json', digest: '0'.repeat(64) },
      { file: 'shard-00000.arrow', digest: '1'.repeat(64) },
    ];
    const direct = await stack.graphql(
      'mutation ($files: [ArchiveFileInput!]!) { importStream(files: $files) { id } }',
      { files },
    );
    expect(direct.errors?.[0]?.extensions?.code).toBe('ARTIFACT.NOT_FOUND');
  });
});
