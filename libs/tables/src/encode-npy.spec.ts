import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openArray } from './array-file.js';
import { encodeNpy, npyFloats } from './encode-npy.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fidelis-npy-'));
});
afterAll(() => rm(directory, { recursive: true }));

it.each([[[6]], [[2, 3]], [[1, 2, 3, 1]]])('is read again: %j', async (shape) => {
  const values = Float32Array.from({ length: 6 }, (_, i) => Math.fround(Math.sin(i)));
  const path = join(directory, `${shape.length}.npy`);
  await writeFile(path, encodeNpy(values, shape));
  const array = await openArray(path);
  expect(array.shape).toEqual(shape);
  expect(await array.numbers()).toEqual(values);
});

it('is read back as it was written, wherever the bytes lie', () => {
  const values = Float32Array.of(1.5, -2, 0, 3.25, 1e-30, 7);
  expect(npyFloats(encodeNpy(values, [2, 1, 3]))).toEqual(values);
  const shifted = new Uint8Array([9, ...encodeNpy(values, [6])]).subarray(1);
  expect(npyFloats(shifted)).toEqual(values);
});

it('is laid out as NumPy lays it out', () => {
  const bytes = Buffer.from(encodeNpy(new Float32Array([1]), [1]));
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x93NUMPY\x01\x00');
  expect(bytes.readUInt16LE(8)).toBe(118);
  expect(bytes.subarray(10, 128).toString('latin1')).toBe(
    `${"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".padEnd(117)}\n`,
  );
  expect([...bytes.subarray(128)]).toEqual([0, 0, 0x80, 0x3f]);
});
