import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CODECS,
  encodeFrame,
  encodeHalf,
  decodeHalf,
  throughCodec,
  type LogitFrame,
} from '@fidelis/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, each, testStream, type TestStream } from './archived-stream.fixture.js';
import { openArchive, verifyArchive, writeArchive, type LogitArchive } from './index.js';

let directory: string;
let count = 0;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'fidelis-archive-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function stored({ header, frames, samplesOf }: TestStream, shardBytes?: number): Promise<LogitArchive> {
  const target = path.join(directory, `a${count++}`);
  await writeArchive(target, header, each(frames), samplesOf, shardBytes === undefined ? {} : { shardBytes });
  return openArchive(target);
}

const encoded = (frames: readonly LogitFrame[]): string[] =>
  frames.map((frame) => Buffer.from(encodeFrame(frame)).toString('hex'));

const float = fc.float({ noNaN: true });

const streams = fc
  .record({
    samples: fc.integer({ min: 1, max: 60 }),
    batchSize: fc.integer({ min: 1, max: 24 }),
    steps: fc.integer({ min: 1, max: 9 }),
    firstStep: fc.integer({ min: 0, max: 40 }),
    members: fc.integer({ min: 1, max: 3 }),
    classes: fc.integer({ min: 1, max: 5 }),
    partRows: fc.integer({ min: 1, max: 24 }),
    codec: fc.constantFrom(...CODECS),
    mixing: fc.boolean(),
    values: fc.array(float, { minLength: 1, maxLength: 40 }),
  })
  .map((options) => {
    const largest = Math.min(options.samples, options.batchSize);
    return testStream({ ...options, partRows: Math.min(options.partRows, largest) });
  });

describe('a stored stream', () => {
  it('gives back the same frames, byte by byte, whatever their shape and wherever shards end', async () => {
    await fc.assert(
      fc.asyncProperty(streams, fc.constantFrom(1, 6_000, 8_000, 1_000_000), async (stream, shardBytes) => {
        const archive = await stored(stream, shardBytes);
        expect(encoded(await all(archive.frames()))).toEqual(encoded(stream.frames));
        for await (const { step, ids, mixing } of archive.steps()) {
          expect({ ids, mixing }).toEqual({ mixing: undefined, ...stream.samplesOf(step) });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps every half there is, bit by bit', async () => {
    const halves = Array.from({ length: 65_536 }, (_, bits) => decodeHalf(bits)).filter(
      (half) => !Number.isNaN(half),
    );
    const stream = testStream({
      samples: 1_024,
      batchSize: 1_024,
      steps: 1,
      members: 1,
      classes: 63,
      values: halves,
    });
    const frames = await all((await stored(stream)).frames());
    expect(encoded(frames)).toEqual(encoded(stream.frames));
    const seen = new Set(frames.flatMap(({ values }) => [...values].map(encodeHalf)));
    expect(seen.size).toBe(halves.length);
  });

  it('gives back a table, its shorter last chunk, and a stream of frames that have not been rounded yet', async () => {
    const stream = testStream({
      kind: 'table',
      samples: 2_500,
      steps: 3,
      values: [0.1, 0.7, -3.3],
      partRows: 1_000,
    });
    const raw = stream.frames.map((frame) => ({
      ...frame,
      values: frame.values.map((value) => value + 1e-5),
    }));
    const archive = await stored({ ...stream, frames: raw });
    const frames = await all(archive.frames());
    expect(encoded(frames)).toEqual(encoded(raw));
    expect(frames[0]?.values).toEqual(throughCodec(raw[0]?.values ?? new Float32Array(), 'f16'));
    expect(archive.manifest).toMatchObject({ kind: 'table', rows: 2_500, parts: 2, partRows: 1_000 });
    expect(frames.map(({ rows }) => rows)).toEqual([1_000, 24, 1_000, 24, 452, 0]);
  });

  it('is read from any step on, as a student that resumes does', async () => {
    const stream = testStream({ steps: 12, firstStep: 3, partRows: 5 });
    const archive = await stored(stream, 8_000);
    expect(archive.manifest.shards.length).toBeGreaterThan(1);
    for (let fromStep = 3; fromStep <= 15; fromStep++) {
      const expected = stream.frames.filter(({ step }) => step >= fromStep);
      expect(encoded(await all(archive.frames({ fromStep })))).toEqual(encoded(expected));
    }
    await expect(all(archive.frames({ fromStep: 16 }))).rejects.toThrow('it has steps 3 to 14');
    await expect(all(archive.frames({ fromStep: 2 }))).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
  });

  it('lies in shards of the size asked for, of whole steps, none of which is larger', async () => {
    const stream = testStream({ samples: 3_000, batchSize: 100, steps: 60, classes: 10 });
    const shardBytes = 100_000;
    const { manifest, directory: home } = await stored(stream, shardBytes);
    const sizes = await Promise.all(
      manifest.shards.map(async ({ file }) => (await stat(path.join(home, file))).size),
    );
    expect(sizes).toEqual(manifest.shards.map(({ bytes }) => bytes));
    expect(sizes.length).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(shardBytes);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(0.8 * shardBytes);
    expect(await verifyArchive(home)).toEqual({
      steps: 60,
      rows: 6_000,
      predictions: [],
      shards: sizes.length,
      bytes: sizes.reduce((sum, size) => sum + size),
    });
  });

  it('takes a stream of any length in the same memory', async () => {
    const { header, frames, samplesOf } = testStream({
      batchSize: 1_000,
      samples: 1_000,
      steps: 1,
      classes: 50,
    });
    const steps = 400;
    const [first] = frames;
    if (first === undefined) throw new Error('no frame');
    let largest = 0;
    async function* long(): AsyncGenerator<LogitFrame> {
      for (let step = 0; step < steps; step++) {
        if (step % 40 === 20) largest = Math.max(largest, process.memoryUsage().arrayBuffers);
        yield { ...(first as LogitFrame), step };
      }
    }
    const before = process.memoryUsage().arrayBuffers;
    const target = path.join(directory, 'long');
    const manifest = await writeArchive(target, { ...header, steps }, long(), () => samplesOf(0), {
      shardBytes: 64 * 1024 * 1024,
    });
    const bytes = manifest.shards.reduce((sum, shard) => sum + shard.bytes, 0);
    expect(bytes).toBeGreaterThan(90e6);
    // What is freed, but not collected yet, counts too.
    expect(largest - before).toBeLessThan(60e6);
    await rm(target, { recursive: true });
  });

  it('says after every step how far it is', async () => {
    const { header, frames, samplesOf } = testStream({ steps: 4, firstStep: 2, partRows: 5 });
    const seen: unknown[] = [];
    await writeArchive(path.join(directory, 'progress'), header, each(frames), samplesOf, {
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen).toEqual([
      { steps: 1, totalSteps: 4, rows: 16, bytes: 192 },
      { steps: 2, totalSteps: 4, rows: 18, bytes: 216 },
      { steps: 3, totalSteps: 4, rows: 34, bytes: 408 },
      { steps: 4, totalSteps: 4, rows: 50, bytes: 600 },
    ]);
  });

  it('may be written into an empty directory, and describes itself alone', async () => {
    const stream = testStream();
    const target = path.join(directory, 'empty');
    await mkdir(target);
    const record = { ...stream.header, state: 'complete', publishedSteps: 6 };
    await writeArchive(target, record, each(stream.frames), stream.samplesOf);
    expect((await readdir(target)).sort()).toEqual(['manifest.json', 'shard-00000.arrow']);
    expect((await openArchive(target)).manifest).not.toHaveProperty('state');
  });
});
