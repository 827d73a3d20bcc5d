import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FidelisError, type LogitFrame } from '@fidelis/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { each, testStream, type TestStream } from './archived-stream.fixture.js';
import { openArchive, verifyArchive, writeArchive } from './index.js';
import type { StepSamples } from '@fidelis/data';

let parent: string;
let target: string;

beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'fidelis-archive-'));
  target = path.join(parent, 'stream');
});

afterEach(() => rm(parent, { recursive: true, force: true }));

const stream = testStream({ partRows: 5 });

function write(
  changes: Partial<TestStream> & { readonly frames?: readonly LogitFrame[] } = {},
): Promise<unknown> {
  const { header, frames, samplesOf } = { ...stream, ...changes };
  return writeArchive(target, header, each(frames), samplesOf);
}

const changed = (index: number, change: Partial<LogitFrame>): LogitFrame[] =>
  stream.frames.map((frame, at) => (at === index ? { ...frame, ...change } : frame));

describe('an export that cannot be finished', () => {
  it.each<[string, readonly LogitFrame[], string, RegExp]>([
    ['the frames end early', stream.frames.slice(0, -1), 'STREAM.GAP', /frames ended where step 5, part 3/],
    [
      'a step is missing',
      stream.frames.filter(({ step }) => step !== 2),
      'STREAM.GAP',
      /step 3, part 0 came where step 2, part 0/,
    ],
    [
      'a part is missing',
      stream.frames.filter((_, at) => at !== 1),
      'STREAM.GAP',
      /step 0, part 2 came where step 0, part 1/,
    ],
    [
      'a frame came twice',
      [...stream.frames.slice(0, 1), ...stream.frames],
      'STREAM.GAP',
      /step 0, part 0 came/,
    ],
    [
      'a frame is of another stream',
      changed(4, { streamKey: '0123456789abcdef' }),
      'FRAME.FOREIGN',
      /streamKey 0123456789abcdef/,
    ],
    ['a frame has another codec', changed(4, { codec: 'f32' }), 'FRAME.FOREIGN', /codec f32.*has f16/],
    [
      'a frame has fewer rows',
      changed(0, { rows: 4, values: new Float32Array(24) }),
      'FRAME.INVALID',
      /has 4 rows .*5 rows belong/,
    ],
    [
      'parts are of two batches',
      changed(1, { inputDigest: 'f'.repeat(16) }),
      'FRAME.INVALID',
      /parts of two steps/,
    ],
    [
      'a logit is no number',
      changed(1, { values: new Float32Array(30).fill(NaN, 13) }),
      'FRAME.INVALID',
      /step 0, row 7 has a logit/,
    ],
  ])('leaves nothing: %s', async (_, frames, code, message) => {
    const failed = write({ frames });
    await expect(failed).rejects.toMatchObject({ code });
    await expect(failed).rejects.toThrow(message);
    expect(await readdir(parent)).toEqual([]);
  });

  it.each<[string, StepSamples]>([
    ['other ids than rows', { ids: new Uint32Array(15) }],
    [
      'a mixture that the header does not announce',
      { ids: new Uint32Array(16), mixing: { partners: new Uint32Array(16), weights: new Float32Array(16) } },
    ],
  ])('leaves nothing: %s', async (_, samples) => {
    await expect(write({ samplesOf: () => samples })).rejects.toMatchObject({ code: 'ARCHIVE.INVALID' });
    expect(await readdir(parent)).toEqual([]);
  });

  it.each<[string, Partial<TestStream['header']>, RegExp]>([
    [
      'a key of another stream',
      { streamKey: '0123456789abcdef' },
      /streamKey: 0123456789abcdef is not the key/,
    ],
    ['too few parts', { parts: 3 }, /3 parts of 5 rows do not hold a step of 16/],
    ['parts that no frame holds', { partRows: 60_000 }, /a frame has at most 524288/],
    ['no steps', { steps: 0 }, /at least one/],
    ['other splits', { samples: [] }, /samples/],
  ])('leaves nothing where the header has %s', async (_, change, message) => {
    await expect(write({ header: { ...stream.header, ...change } })).rejects.toThrow(message);
    expect(await readdir(parent)).toEqual([]);
  });

  it('stops when it is told to, even while it waits for a frame', async () => {
    const stop = new AbortController();
    async function* stalled(): AsyncGenerator<LogitFrame> {
      yield* stream.frames.slice(0, 6);
      setTimeout(() => stop.abort(new FidelisError('RUN.CANCELLED', 'enough')), 10);
      await new Promise(() => undefined);
    }
    const written = writeArchive(target, stream.header, stalled(), stream.samplesOf, { signal: stop.signal });
    await expect(written).rejects.toMatchObject({ code: 'RUN.CANCELLED' });
    expect(await readdir(parent)).toEqual([]);
  });

  it('is invisible while it goes on, and what a killed one left is removed by the next', async () => {
    async function* looking(): AsyncGenerator<LogitFrame> {
      yield* stream.frames.slice(0, 9);
      const [draft = '', ...others] = await readdir(parent);
      expect([draft.startsWith('.draft-'), others]).toEqual([true, []]);
      await expect(openArchive(path.join(parent, draft))).rejects.toMatchObject({ code: 'ARCHIVE.INVALID' });
      // As it lies there when its process is killed: with the number of one that was, and is no more.
      const { pid } = spawnSync(process.execPath, ['--version']);
      await mkdir(path.join(parent, 'copy'));
      await writeFile(path.join(parent, 'copy', 'shard-00000.arrow'), 'half');
      await rename(
        path.join(parent, 'copy'),
        path.join(parent, draft.replace(`-${process.pid}-`, `-${pid}-`)),
      );
      throw new Error('killed');
    }
    await expect(writeArchive(target, stream.header, looking(), stream.samplesOf)).rejects.toThrow('killed');
    expect(await readdir(parent)).toHaveLength(1);
    await write();
    expect(await readdir(parent)).toEqual(['stream']);
    await verifyArchive(target);
  });
});

describe('an export to a place that is taken', () => {
  it('is refused before anything is read, and touches nothing', async () => {
    await write();
    const before = await readFile(path.join(target, 'manifest.json'));
    await expect(write()).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
    expect(await readFile(path.join(target, 'manifest.json'))).toEqual(before);
    expect(await readdir(parent)).toEqual(['stream']);
  });

  it('is refused where a file is', async () => {
    await writeFile(target, 'mine');
    await expect(write()).rejects.toThrow('is there already');
    expect(await readFile(target, 'utf8')).toBe('mine');
  });

  it('is refused where no directory can be', async () => {
    await writeFile(path.join(parent, 'file'), '');
    target = path.join(parent, 'file', 'below', 'stream');
    await expect(write()).rejects.toMatchObject({ code: 'STORAGE.UNWRITABLE' });
  });
});
