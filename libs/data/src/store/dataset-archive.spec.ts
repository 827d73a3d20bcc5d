import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadDataset, useDatasetDirectory } from '../catalogue.js';
import {
  archiveDataset,
  datasetInfoOf,
  hasDataset,
  loadDatasetOf,
  receiveDataset,
  useDatasetCopies,
} from '../dataset-copies.js';
import { datasetRef } from '../dataset.js';
import { tinyDataset } from '../tiny-dataset.fixture.js';
import type { DatasetArchive } from './dataset-archive.js';
import { store } from './dataset-store.js';

const text = { title: 'Tiny', description: 'Of a test.', license: 'CC0', source: 'this test' };
const tiny = tinyDataset();
const wanted = datasetRef(tiny);

async function* once(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

async function bytesOf(archive: DatasetArchive): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a dataset that goes to a machine that lacks it', () => {
  let directory: string;
  let there: string;
  let here: string;
  let copies: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'fidelis-copies-'));
    there = path.join(directory, 'there');
    here = path.join(directory, 'here');
    copies = path.join(directory, 'copies');
    await store(there, tiny, text);
    useDatasetCopies(copies);
  });
  afterEach(async () => {
    useDatasetDirectory(undefined);
    useDatasetCopies(undefined);
    await rm(directory, { recursive: true });
  });

  async function archived(): Promise<Buffer> {
    useDatasetDirectory(there);
    const archive = await archiveDataset(wanted);
    if (archive === undefined) throw new Error('it is not there');
    useDatasetDirectory(here);
    return bytesOf(archive);
  }

  it('is the same there, under its name, and told of without being loaded', async () => {
    const bytes = await archived();
    expect(hasDataset(wanted)).toBe(false);
    await expect(loadDatasetOf(wanted)).rejects.toMatchObject({ code: 'DATASET.UNKNOWN' });
    await receiveDataset(wanted, once(bytes.subarray(0, 700), bytes.subarray(700)));
    expect(hasDataset(wanted)).toBe(true);
    expect(datasetInfoOf(wanted)).toMatchObject({ name: 'tiny', title: 'Tiny', classes: 3 });
    const loaded = await loadDatasetOf(wanted);
    expect(loaded).toMatchObject({ name: 'tiny', digest: tiny.digest, classNames: ['a', 'b', 'c'] });
    expect(loaded.splits.train.inputs).toEqual(tiny.splits.train.inputs);
    expect(await readdir(copies)).toEqual([tiny.digest]);
    // Who comes second finds it there.
    await receiveDataset(wanted, once(bytes));
    expect(await readdir(copies)).toEqual([tiny.digest]);
  });

  it('is one archive, whoever makes it and whenever', async () => {
    const first = await archived();
    await rm(there, { recursive: true });
    await store(there, tiny, text);
    const second = await archived();
    expect(first.equals(second)).toBe(true);
    useDatasetDirectory(there);
    expect(await archiveDataset(wanted)).toMatchObject({
      sha256: createHash('sha256').update(first).digest('hex'),
      bytes: first.length,
    });
    expect(await archiveDataset({ ...wanted, digest: 'ab'.repeat(32) })).toBeUndefined();
  });

  it('is found beside another one of its name, and that stays what its name means', async () => {
    const bytes = await archived();
    const other = { ...tinyDataset(49), name: 'tiny' };
    await store(here, other, text);
    expect(hasDataset(wanted)).toBe(false);
    await expect(loadDatasetOf(wanted)).rejects.toMatchObject({ code: 'DATASET.MISMATCH' });
    expect(() => datasetInfoOf(wanted)).toThrow(
      expect.objectContaining({ code: 'DATASET.MISMATCH' }) as Error,
    );
    await receiveDataset(wanted, once(bytes));
    expect((await loadDatasetOf(wanted)).digest).toBe(tiny.digest);
    expect((await loadDataset('tiny')).digest).toBe(other.digest);
    expect((await loadDatasetOf(datasetRef(other))).digest).toBe(other.digest);
  });

  it('is not sent where its bytes are not those that were added', async () => {
    const file = path.join(there, 'tiny', 'train-inputs.bin');
    await writeFile(file, new Uint8Array(tiny.splits.train.inputs.length));
    useDatasetDirectory(there);
    await expect(archiveDataset(wanted)).rejects.toMatchObject({
      code: 'DATASET.CORRUPT',
      message: expect.stringContaining(file) as unknown,
    });
  });

  const refused = async (source: AsyncIterable<Uint8Array>, problem: RegExp): Promise<void> => {
    await expect(receiveDataset(wanted, source)).rejects.toMatchObject({
      code: 'DATASET.CORRUPT',
      message: expect.stringMatching(problem) as unknown,
    });
    expect(hasDataset(wanted)).toBe(false);
    expect(await readdir(copies)).toEqual([]);
  };

  it.each([
    ['ends early', (bytes: Buffer) => bytes.subarray(0, bytes.length - 2_500), /ends without|cannot be read/],
    ['is empty', () => Buffer.alloc(0), /ends without manifest.json/],
    ['is no archive', () => Buffer.alloc(4_096, 7), /cannot be read/],
  ])('is not kept where the archive %s', async (_, change, problem) => {
    await refused(once(change(await archived())), problem);
  });

  it('is not kept where an array has other bytes', async () => {
    const bytes = await archived();
    const at = bytes.indexOf(Buffer.from(tiny.splits.train.inputs.subarray(0, 40)));
    expect(at).toBeGreaterThan(0);
    bytes[at + 5] = (bytes[at + 5] ?? 0) ^ 1;
    await refused(once(bytes), /holds other bytes of train-inputs\.bin/);
  });

  it('is not kept where the archive is of another dataset, or has a file that belongs to none', async () => {
    const other = tinyDataset(49);
    await store(path.join(directory, 'other'), other, text);
    useDatasetDirectory(path.join(directory, 'other'));
    const archive = await archiveDataset(datasetRef(other));
    if (archive === undefined) throw new Error('it is not there');
    useDatasetDirectory(here);
    await refused(archive.read(), /is of another dataset/);

    const outside = pack();
    outside.entry({ name: '../outside.bin' }, 'x');
    outside.finalize();
    await refused(outside as AsyncIterable<Uint8Array>, /has \.\.\/outside\.bin/);
    expect(await readdir(directory)).not.toContain('outside.bin');
  });

  it('is not kept where its source fails, and the failure is told', async () => {
    const bytes = await archived();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1_000);
      throw new Error('the store is gone');
    }
    await expect(receiveDataset(wanted, failing())).rejects.toThrow('the store is gone');
    expect(await readdir(copies)).toEqual([]);
  });
});
