import { asTableError, requireTable } from './table-error.js';
import { allocate, type NumberType, type RowChunk, type Table, type TableFormat } from './table.js';

/** What people call the formats. */
export const FORMAT_NAMES: Readonly<Record<TableFormat, string>> = {
  npy: '.npy array',
  npz: '.npz archive',
  csv: 'CSV file',
  parquet: 'Parquet file',
  arrow: 'Arrow file',
};

/** What each format's reader gives: a shape, and the rows in blocks of any heights that suit the file. */
export interface TableReading {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: NumberType;
  blocks(): AsyncIterable<RowChunk>;
}

/** A table of what a reader reads, its blocks cut and joined to chunks of the height that is asked for. */
export function tableOf(path: string, format: TableFormat, reading: TableReading): Table {
  const { rows, columns, dtype } = reading;
  return {
    path,
    format,
    rows,
    columns,
    dtype,
    chunks: (height) => readChunks(path, format, reading, height),
  };
}

/** A library's error about bytes that the header did not show to be bad is an error about the file. */
async function* readChunks(
  path: string,
  format: TableFormat,
  reading: TableReading,
  rowsPerChunk: number,
): AsyncGenerator<RowChunk> {
  try {
    yield* chunksOf(path, reading, rowsPerChunk);
  } catch (error) {
    throw asTableError(path, FORMAT_NAMES[format], error);
  }
}

async function* chunksOf(
  path: string,
  reading: TableReading,
  rowsPerChunk: number,
): AsyncGenerator<RowChunk> {
  const { rows, columns, dtype } = reading;
  requireTable(
    Number.isSafeInteger(rowsPerChunk) && rowsPerChunk > 0,
    path,
    `is read in chunks of a whole number of rows above 0, not ${rowsPerChunk}`,
  );
  let seen = 0;
  let chunk = allocate(dtype, 0);
  let filled = 0;
  for await (const block of reading.blocks()) {
    let taken = 0;
    while (taken < block.length) {
      if (filled === chunk.length) {
        chunk = allocate(dtype, Math.min(rowsPerChunk, rows - seen) * columns);
        filled = 0;
        requireTable(
          chunk.length > 0,
          path,
          `has more than its ${rows} rows: it changed while it was read, or is corrupt`,
        );
      }
      const part = block.subarray(taken, taken + chunk.length - filled);
      chunk.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled === chunk.length) {
        seen += chunk.length / columns;
        yield chunk;
      }
    }
  }
  requireTable(
    seen === rows,
    path,
    `ends after ${seen} of its ${rows} rows: it is truncated. Write or copy it again`,
  );
}
