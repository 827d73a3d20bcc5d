import { writeFile } from 'node:fs/promises';

/** Values of which NumPy type. */
export type NpyValues = Float32Array | Float64Array | Int32Array;

/** The bytes that numpy.save writes for an array of this shape, in C order. */
export function npyBytes(values: NpyValues, shape: readonly number[]): Buffer {
  const descr = values instanceof Float32Array ? '<f4' : values instanceof Float64Array ? '<f8' : '<i4';
  return Buffer.concat([
    npyHeader(descr, shape),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  ]);
}

/** Everything before the numbers: magic, version 1.0, the length, and a dictionary, padded to 64 bytes. */
export function npyHeader(descr: string, shape: readonly number[]): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((size) => `${size},`).join(' ')}), }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(padded.length, 8);
  return Buffer.concat([start, Buffer.from(padded, 'latin1')]);
}

/** Rows of equal length as float64. */
export async function writeRows(path: string, rows: readonly (readonly number[])[]): Promise<void> {
  await writeFile(path, npyBytes(Float64Array.from(rows.flat()), [rows.length, rows[0]?.length ?? 0]));
}

export async function writeLabels(path: string, labels: readonly number[]): Promise<void> {
  await writeFile(path, npyBytes(Int32Array.from(labels), [labels.length]));
}
