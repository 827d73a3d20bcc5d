import { decodeHalf } from '@fidelis/contracts';
import { tableError } from './table-error.js';
import { type NumberType, type RowChunk } from './table.js';

export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * Numbers of a type from their bytes, in the array in which chunks of the type come.
 *
 * @param bytes in an ArrayBuffer of its own from its first byte; may be changed
 * @throws RangeError for an integer beyond ±2^53, which no float64 holds
 */
export function decodeNumbers(
  bytes: Uint8Array<ArrayBuffer>,
  dtype: NumberType,
  bigEndian: boolean,
): RowChunk {
  return toRowChunk(viewAs(bytes, dtype, bigEndian), dtype);
}

const VIEWS = {
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
} as const satisfies Record<NumberType, new (buffer: ArrayBuffer) => NumberArray>;

function viewAs(bytes: Uint8Array<ArrayBuffer>, dtype: NumberType, bigEndian: boolean): NumberArray {
  const View = VIEWS[dtype];
  const buffer = Buffer.from(bytes.buffer);
  if (bigEndian && View.BYTES_PER_ELEMENT === 2) buffer.swap16();
  if (bigEndian && View.BYTES_PER_ELEMENT === 4) buffer.swap32();
  if (bigEndian && View.BYTES_PER_ELEMENT === 8) buffer.swap64();
  return new View(bytes.buffer);
}

/**
 * @param values of the type; float16 as its 16 bits in a Uint16Array
 * @throws RangeError for an integer beyond ±2^53
 */
export function toRowChunk(values: NumberArray, dtype: NumberType): RowChunk {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return Float64Array.from({ length: values.length }, (_, index) => exactInteger(values[index] ?? 0n));
  }
  if (dtype === 'float16') {
    const singles = new Float32Array(values.length);
    for (let index = 0; index < values.length; index++) singles[index] = decodeHalf(Number(values[index]));
    return singles;
  }
  if (dtype === 'float32') return values instanceof Float32Array ? values : Float32Array.from(values);
  return values instanceof Float64Array ? values : Float64Array.from(values);
}

export function exactInteger(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`the integer ${value.toString()} is beyond ±2^53`);
  return number;
}

/** A number of a table that had to be a number. */
export function cellError(path: string, row: number, column: string, problem: string): Error {
  return tableError(path, `row ${row} (from 0), column ${column}: ${problem}`);
}
