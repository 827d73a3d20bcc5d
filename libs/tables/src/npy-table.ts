import { type ByteRange, type ByteSource } from './byte-source.js';
import { decodeNumbers } from './number-decoding.js';
import { readNpyHeader, type NpyHeader } from './npy-header.js';
import { tableError } from './table-error.js';
import { allocate, type RowChunk } from './table.js';
import { type TableReading } from './table-reading.js';

/** Columns of a Fortran-ordered array are gathered for as many rows as fit this, in one pass over the file. */
const PASS_BYTES = 64 * 2 ** 20;
/** Rows of a C-ordered array are read in pieces of about this size, however small the chunks are. */
const READ_BYTES = 2 ** 20;

/**
 * A `.npy` array. C order is read from front to back. Fortran order is read in passes, each of which gathers all columns of as many rows
 * as fit 64 MiB: a file is read once in all at positions; a compressed member of an archive once for every pass.
 */
export async function openNpy(source: ByteSource): Promise<TableReading> {
  const header = await readNpyHeader(source);
  const { rows, columns, dtype } = header;
  const blocks = header.fortranOrder && columns > 1 ? columnBlocks : rowBlocks;
  return { rows, columns, dtype, blocks: () => blocks(source, header) };
}

async function* rowBlocks(source: ByteSource, header: NpyHeader): AsyncGenerator<RowChunk> {
  const rowBytes = header.columns * header.itemBytes;
  const step = Math.max(1, Math.floor(READ_BYTES / rowBytes));
  let row = 0;
  for await (const bytes of source.read(rowRanges(header, rowBytes, step))) {
    yield decode(source, header, bytes, `in the rows from ${row}`);
    row += step;
  }
}

function* rowRanges(header: NpyHeader, rowBytes: number, step: number): Generator<ByteRange> {
  for (let row = 0; row < header.rows; row += step) {
    const end = Math.min(row + step, header.rows);
    yield { start: header.dataStart + row * rowBytes, end: header.dataStart + end * rowBytes };
  }
}

async function* columnBlocks(source: ByteSource, header: NpyHeader): AsyncGenerator<RowChunk> {
  const { rows, columns, dtype, itemBytes } = header;
  const step = Math.max(1, Math.floor(PASS_BYTES / (columns * itemBytes)));
  for (let row = 0; row < rows; row += step) {
    const height = Math.min(step, rows - row);
    const block = allocate(dtype, height * columns);
    let column = 0;
    for await (const bytes of source.read(columnRanges(header, row, height))) {
      const values = decode(source, header, bytes, `in column ${column}`);
      for (let index = 0; index < height; index++) block[index * columns + column] = values[index] ?? NaN;
      column++;
    }
    yield block;
  }
}

function* columnRanges(header: NpyHeader, row: number, height: number): Generator<ByteRange> {
  for (let column = 0; column < header.columns; column++) {
    const start = header.dataStart + (column * header.rows + row) * header.itemBytes;
    yield { start, end: start + height * header.itemBytes };
  }
}

function decode(
  source: ByteSource,
  header: NpyHeader,
  bytes: Uint8Array<ArrayBuffer>,
  where: string,
): RowChunk {
  try {
    return decodeNumbers(bytes, header.dtype, header.bigEndian);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw tableError(source.name, `${where}: ${reason}. Convert it: array.astype("float64")`, error);
  }
}
