import { fileSource, type ByteRange, type ByteSource } from './byte-source.js';
import { readArrayHeader } from './npy-header.js';
import { decodeNumbers } from './number-decoding.js';
import { npzSource } from './npz-source.js';
import { asTableError, requireTable } from './table-error.js';
import { type NumberType, type RowChunk } from './table.js';

/** An array of any number of dimensions in a `.npy` file, or in a member of a `.npz` archive. Nothing but its header is read yet. */
export interface ArrayFile {
  /** For errors: the file, and the member if there is one. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: NumberType;
  /**
   * All of it, in C order: bytes as bytes.
   *
   * @throws FidelisError REQUEST.INVALID unless the type is uint8
   */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * All of it, in C order, as float32 or float64, whichever holds every number.
   *
   * @throws FidelisError REQUEST.INVALID for an integer beyond ±2^53
   */
  numbers(): Promise<RowChunk>;
  /**
   * As `numbers`, a part at a time: no more than one is in memory for it. The last may be shorter.
   *
   * @param values of each part, at least 1
   */
  parts(values: number): AsyncIterable<RowChunk>;
}

/**
 * @param member of an archive, with or without `.npy`; needed if there is more than one
 * @throws FidelisError REQUEST.INVALID: not there, not readable, no array of numbers, in Fortran order
 */
export async function openArray(path: string, member?: string): Promise<ArrayFile> {
  try {
    const archive = member !== undefined || path.toLowerCase().endsWith('.npz');
    return await openSource(archive ? await npzSource(path, member) : await fileSource(path));
  } catch (error) {
    throw asTableError(path, 'array', error);
  }
}

async function openSource(source: ByteSource): Promise<ArrayFile> {
  const { shape, dtype, itemBytes, bigEndian, fortranOrder, dataStart } = await readArrayHeader(source);
  requireTable(
    !fortranOrder || shape.length === 1,
    source.name,
    'is in Fortran order. Write it in C order: numpy.ascontiguousarray(array)',
  );
  const length = shape.reduce((product, size) => product * size, itemBytes);
  const all = { start: dataStart, end: dataStart + length };
  const read = async (): Promise<Uint8Array<ArrayBuffer>> => {
    for await (const bytes of source.read([all])) return bytes;
    return new Uint8Array(0);
  };
  const decode = (bytes: Uint8Array<ArrayBuffer>): RowChunk => {
    try {
      return decodeNumbers(bytes, dtype, bigEndian);
    } catch (error) {
      throw asTableError(source.name, 'array', error);
    }
  };
  return {
    name: source.name,
    shape,
    dtype,
    bytes: async () => {
      requireTable(dtype === 'uint8', source.name, `has the type ${dtype} where bytes (uint8) are needed`);
      return read();
    },
    numbers: async () => decode(await read()),
    async *parts(values) {
      for await (const bytes of source.read(pieces(all, values * itemBytes))) yield decode(bytes);
    },
  };
}

function* pieces({ start, end }: ByteRange, bytes: number): Generator<ByteRange> {
  for (let at = start; at < end; at += bytes) yield { start: at, end: Math.min(at + bytes, end) };
}
