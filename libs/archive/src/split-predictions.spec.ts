import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeNpy } from '@fidelis/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, each, testStream } from './archived-stream.fixture.js';
import type { ArchiveManifest } from './archive-manifest.js';
import { openArchive, verifyArchive, writeArchive } from './index.js';

const values = Float32Array.from({ length: 4 * 2 * 3 }, (_, at) => at / 7);

describe("a stored stream with its teacher's predictions on whole splits", () => {
  let directory: string;
  let count = 0;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'fidelis-predictions-'));
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  const store = async (predicted = values): Promise<string> => {
    const { header, frames, samplesOf } = testStream({ members: 2, classes: 3 });
    const target = path.join(directory, `a${count++}`);
    await writeArchive(target, header, each(frames), samplesOf, {
      predictions: [{ split: 'test', values: predicted }],
    });
    return target;
  };

  const edit = async (target: string, change: (manifest: ArchiveManifest) => unknown): Promise<void> => {
    const file = path.join(target, 'manifest.json');
    const manifest = JSON.parse(await readFile(file, 'utf8')) as ArchiveManifest;
    await writeFile(file, JSON.stringify({ ...manifest, predictions: change(manifest) }));
  };

  it('gives them back bit for bit', async () => {
    const target = await store();
    expect(await all((await openArchive(target)).predictions())).toEqual([{ split: 'test', values }]);
    expect(await verifyArchive(target)).toMatchObject({ predictions: ['test'] });
  });

  it('refuses to store what are no rows, and what is not a number', async () => {
    await expect(store(values.subarray(1))).rejects.toMatchObject({ code: 'ARCHIVE.INVALID' });
    await expect(store(values.map((value, at) => (at === 5 ? NaN : value)))).rejects.toMatchObject({
      code: 'ARCHIVE.INVALID',
    });
  });

  it('finds out a file that was cut off, changed, or is of another shape than the manifest says', async () => {
    const [cut, changed, reshaped] = [await store(), await store(), await store()];
    await truncate(path.join(cut, 'predictions-test.npy'), 130);
    await expect(openArchive(cut)).rejects.toMatchObject({
      code: 'ARCHIVE.INVALID',
      message: expect.stringContaining('predictions-test.npy: has 130 bytes') as string,
    });
    await writeFile(
      path.join(changed, 'predictions-test.npy'),
      encodeNpy(
        values.map((v) => v + 1),
        [4, 2, 3],
      ),
    );
    await expect(verifyArchive(changed)).rejects.toThrow(/predictions-test.npy: its sha-256 is/);
    await edit(reshaped, ({ predictions }) => predictions.map((entry) => ({ ...entry, rows: 5 })));
    await expect(verifyArchive(reshaped)).rejects.toThrow(/has the shape 4×2×3, and 5×2×3 is needed/);
  });

  it('refuses a split that is listed twice, and a file that is named after another', async () => {
    const [twice, misnamed] = [await store(), await store()];
    await edit(twice, ({ predictions }) => [...predictions, ...predictions]);
    await expect(openArchive(twice)).rejects.toThrow(/a split is listed twice/);
    await edit(misnamed, ({ predictions }) => predictions.map((entry) => ({ ...entry, split: 'train' })));
    await expect(openArchive(misnamed)).rejects.toThrow(
      /predictions-test.npy is said to be of the split train/,
    );
  });
});
