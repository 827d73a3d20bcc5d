import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadIdxDataset, verifyIdxSource, type IdxSource } from './idx-dataset.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'fidelis-idx-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

function idx(shape: readonly number[], values: readonly number[], type = 8): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint8(2, type);
  header.setUint8(3, shape.length);
  shape.forEach((extent, dimension) => header.setUint32(4 + 4 * dimension, extent));
  return Uint8Array.of(...new Uint8Array(header.buffer), ...values);
}

async function write(name: string, content: Uint8Array): Promise<{ name: string; md5: string }> {
  await writeFile(path.join(directory, name), content);
  return { name, md5: createHash('md5').update(content).digest('hex') };
}

/** Two training images of 1×3 pixels and one for testing; `changed` replaces whole files, with their checksums. */
async function source(changed: Readonly<Record<string, Uint8Array>> = {}): Promise<IdxSource> {
  const file = (name: string, content: Uint8Array): ReturnType<typeof write> =>
    write(name, changed[name] ?? content);
  return {
    name: 'small',
    classNames: ['no', 'yes'],
    directory,
    advice: 'copy it again',
    files: {
      train: {
        images: await file('train-images', idx([2, 1, 3], [1, 2, 3, 4, 5, 6])),
        labels: await file('train-labels', idx([2], [0, 1])),
      },
      test: {
        images: await file('test-images', idx([1, 1, 3], [7, 8, 9])),
        labels: await file('test-labels', idx([1], [1])),
      },
    },
  };
}

async function refusal(candidate: IdxSource): Promise<FidelisError> {
  const error: unknown = await loadIdxDataset(candidate).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!FidelisError.is(error)) throw new Error('expected a FidelisError', { cause: error });
  return error;
}

describe('loadIdxDataset', () => {
  it('reads images and labels of both splits', async () => {
    const dataset = await loadIdxDataset(await source());
    expect(dataset).toMatchObject({
      name: 'small',
      classes: 2,
      inputShape: { height: 1, width: 3, channels: 1 },
    });
    expect([...dataset.splits.train.inputs]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...dataset.splits.train.labels]).toEqual([0, 1]);
    expect(dataset.splits.train.size).toBe(2);
    expect([...dataset.splits.test.inputs]).toEqual([7, 8, 9]);
    expect([...dataset.splits.test.labels]).toEqual([1]);
  });

  it('refuses a file with one changed byte, and names it with both checksums', async () => {
    const candidate = await source();
    await writeFile(path.join(directory, 'train-labels'), idx([2], [1, 1]));
    const error = await refusal(candidate);
    expect(error.code).toBe('DATASET.CORRUPT');
    expect(error.message).toContain(path.join(directory, 'train-labels'));
    expect(error.message).toContain(candidate.files.train.labels.md5);
    expect(error.details['actualMd5']).toMatch(/^[0-9a-f]{32}$/);
  });

  it('refuses a truncated file and a missing one, naming them', async () => {
    const candidate = await source();
    await truncate(path.join(directory, 'test-images'), 17);
    expect((await refusal(candidate)).message).toContain('test-images is not the original file');
    await unlink(path.join(directory, 'test-images'));
    const missing = await refusal(candidate);
    expect(missing.code).toBe('DATASET.CORRUPT');
    expect(missing.message).toContain('test-images cannot be read');
  });

  it.each([
    ['train-images', Uint8Array.of(1, 2, 3, 4), 'it is not an IDX file'],
    ['train-images', Uint8Array.of(0, 0), 'it is not an IDX file'],
    ['train-images', idx([2, 1, 3], [1, 2, 3, 4, 5, 6], 0x0d), 'it does not hold unsigned bytes'],
    ['train-images', idx([2, 1, 3], []).subarray(0, 12), 'it ends within its header'],
    ['train-images', idx([2, 1, 3], [1, 2]), 'its header promises 6 values, it has 2'],
    ['train-images', idx([2, 3], [1, 2, 3, 4, 5, 6]), '2 dimensions where images have 3'],
    ['test-images', idx([1, 3, 1], [7, 8, 9]), 'test-images has 3×1 images'],
    ['train-labels', idx([3], [0, 1, 0]), '3 labels for 2 inputs'],
    ['train-labels', idx([2], [0, 2]), 'sample 1 has the label 2'],
  ])('refuses a checked %s whose content is wrong', async (name, content, problem) => {
    const error = await refusal(await source({ [name]: content }));
    expect(error.code).toBe('DATASET.CORRUPT');
    expect(error.message).toContain(problem);
  });
});

describe('verifyIdxSource', () => {
  it('reports every file without throwing', async () => {
    const candidate = await source();
    expect((await verifyIdxSource(candidate)).every(({ ok }) => ok)).toBe(true);
    await unlink(path.join(directory, 'train-labels'));
    await writeFile(path.join(directory, 'test-labels'), Uint8Array.of(1));
    const byName = new Map(
      (await verifyIdxSource(candidate)).map((file) => [path.basename(file.path), file]),
    );
    expect(byName.get('train-labels')).toMatchObject({ ok: false, bytes: undefined, actual: undefined });
    expect(byName.get('test-labels')).toMatchObject({ ok: false, bytes: 1 });
    expect(byName.get('train-images')).toMatchObject({ ok: true, bytes: 22 });
  });
});
