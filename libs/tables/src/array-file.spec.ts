import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openArray } from './array-file.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fidelis-arrays-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** What numpy.save writes. */
async function npy(descr: string, shape: string, data: Uint8Array, fortran = false): Promise<string> {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape}), }`;
  const header = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  const path = join(directory, `${Math.random().toString(36).slice(2)}.npy`);
  await writeFile(path, Buffer.concat([start, Buffer.from(header, 'latin1'), data]));
  return path;
}

describe('openArray', () => {
  it('gives bytes of any shape as they are', async () => {
    const data = Uint8Array.from({ length: 24 }, (_, i) => i);
    const array = await openArray(await npy('|u1', '2, 2, 2, 3', data));
    expect(array).toMatchObject({ shape: [2, 2, 2, 3], dtype: 'uint8' });
    expect(await array.bytes()).toEqual(data);
  });

  it('gives numbers of any type as floats', async () => {
    const array = await openArray(await npy('>i4', '2, 1', Uint8Array.of(0, 0, 1, 0, 255, 255, 255, 255)));
    expect([...(await array.numbers())]).toEqual([256, -1]);
    await expect(array.bytes()).rejects.toThrow('has the type int32 where bytes (uint8) are needed');
  });

  it('gives numbers a part at a time, the last one shorter', async () => {
    const array = await openArray(await npy('<i2', '5, 1', Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0, 5, 0)));
    const parts: number[][] = [];
    for await (const part of array.parts(2)) parts.push([...part]);
    expect(parts).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('refuses Fortran order, fewer bytes than the shape needs, and a file that is not there', async () => {
    await expect(openArray(await npy('|u1', '2, 3', new Uint8Array(6), true))).rejects.toThrow(
      'numpy.ascontiguousarray',
    );
    await expect(openArray(await npy('|u1', '2, 2, 2', new Uint8Array(7)))).rejects.toThrow(
      'is truncated: 2 × 2 × 2 uint8',
    );
    await expect(openArray(join(directory, 'none.npz'))).rejects.toThrow('there is no such file');
  });
});
