import { FidelisError } from '@fidelis/contracts';

export interface IdxArray {
  readonly shape: readonly number[];
  /** A window on the file's bytes, not a copy. */
  readonly values: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes: big-endian header 00 00 08 <dimensions>, one u32 per dimension, then the values.
 *
 * @param file its name, for messages
 * @throws FidelisError DATASET.CORRUPT naming the file
 */
export function parseIdx(bytes: Uint8Array, file: string): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0) throw corrupt(file, 'it is not an IDX file');
  if (view.getUint8(2) !== UNSIGNED_BYTE) throw corrupt(file, 'it does not hold unsigned bytes');
  const dimensions = view.getUint8(3);
  const start = 4 + 4 * dimensions;
  if (bytes.length < start) throw corrupt(file, 'it ends within its header');
  const shape = Array.from({ length: dimensions }, (_, dimension) => view.getUint32(4 + 4 * dimension));
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (bytes.length !== start + count) {
    throw corrupt(file, `its header promises ${count} values, it has ${bytes.length - start}`);
  }
  return { shape, values: bytes.subarray(start) };
}

function corrupt(file: string, reason: string): FidelisError {
  return new FidelisError('DATASET.CORRUPT', `${file} cannot be read: ${reason}`, { details: { file } });
}
