import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpy } from './encode-npy.js';
import { readLogits } from './read-logits.js';

describe('a table of logits', () => {
  let directory: string;
  let count = 0;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'fidelis-logits-'));
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  const fileOf = async (bytes: Uint8Array): Promise<string> => {
    const file = path.join(directory, `t${count++}.npy`);
    await writeFile(file, bytes);
    return file;
  };
  const values = Float32Array.from({ length: 12 }, (_, index) => index - 4.5);
  const split = { rows: 4, classes: 3 };

  it('is of one model, or of an ensemble', async () => {
    expect(await readLogits(await fileOf(encodeNpy(values, [4, 3])), split)).toEqual({
      members: 1,
      values,
      looksLikeProbabilities: false,
    });
    const ensemble = await readLogits(await fileOf(encodeNpy(values, [2, 2, 3])), { rows: 2, classes: 3 });
    expect(ensemble).toMatchObject({ members: 2, values });
  });

  it('may be of doubles, which are rounded', async () => {
    const header = Buffer.from(encodeNpy(values, [4, 3]).subarray(0, 128))
      .toString('latin1')
      .replace('<f4', '<f8');
    const doubles = Float64Array.from(values, (value) => value + 1e-12);
    const file = await fileOf(Buffer.concat([Buffer.from(header, 'latin1'), Buffer.from(doubles.buffer)]));
    expect((await readLogits(file, split)).values).toEqual(values);
  });

  it.each([
    ['rows', [3, 4], { rows: 4, classes: 3 }, /has 3 rows, and the split has 4 samples/],
    ['classes', [4, 3], { rows: 4, classes: 10 }, /has 3 classes, and the dataset has 10/],
    ['dimensions', [12], { rows: 4, classes: 3 }, /has the shape \(12\)/],
  ])('of other %s is refused', async (_, shape, expected, message) => {
    await expect(readLogits(await fileOf(encodeNpy(values, shape)), expected)).rejects.toThrow(message);
  });

  it.each([NaN, Infinity, -Infinity])('with %s in it is refused, with its place', async (bad) => {
    const file = await fileOf(
      encodeNpy(
        values.map((value, at) => (at === 7 ? bad : value)),
        [4, 3],
      ),
    );
    await expect(readLogits(file, split)).rejects.toThrow(/row 2 has the logit .* for class 1/);
  });

  it('is told from probabilities', async () => {
    const probabilities = Float32Array.from([0.2, 0.3, 0.5, 1, 0, 0, 0.33, 0.33, 0.34, 0.9, 0.05, 0.05]);
    const file = await fileOf(encodeNpy(probabilities, [4, 3]));
    expect((await readLogits(file, split)).looksLikeProbabilities).toBe(true);
  });

  it('that is none is refused', async () => {
    await expect(readLogits(await fileOf(Buffer.from('hello')), split)).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
    });
    await expect(readLogits(path.join(directory, 'none.npy'), split)).rejects.toThrow(/no such file/);
  });
});
