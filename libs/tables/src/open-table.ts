import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { openArrow } from './arrow-table.js';
import { fileSource } from './byte-source.js';
import { openCsv } from './csv-table.js';
import { openNpy } from './npy-table.js';
import { npzSource } from './npz-source.js';
import { openParquet } from './parquet-table.js';
import { asTableError, requireTable, tableError } from './table-error.js';
import { FORMAT_NAMES, tableOf, type TableReading } from './table-reading.js';
import { type Table, type TableFormat, type TableOptions } from './table.js';

const MAGIC: readonly (readonly [string, TableFormat])[] = [
  ['\x93NUMPY', 'npy'],
  ['PK\x03\x04', 'npz'],
  ['PK\x05\x06', 'npz'],
  ['PAR1', 'parquet'],
  ['ARROW1', 'arrow'],
  ['\xff\xff\xff\xff', 'arrow'],
];
const EXTENSIONS: Readonly<Record<string, TableFormat>> = {
  '.npy': 'npy',
  '.npz': 'npz',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.txt': 'csv',
  '.parquet': 'parquet',
  '.pq': 'parquet',
  '.arrow': 'arrow',
  '.arrows': 'arrow',
  '.feather': 'arrow',
  '.ipc': 'arrow',
};
/**
 * Opens a matrix of numbers in a file: `.npy`, `.npz`, CSV with a header, Parquet, or Arrow IPC (file, stream or Feather version 2).
 * What the file begins with decides the format, and its name's ending where that says nothing (CSV). Memory is bounded by the chunks and
 * by the pieces in which the format is written: a row group of one column (Parquet), a record batch (Arrow), 64 MiB (Fortran order).
 *
 * @throws FidelisError REQUEST.INVALID, saying what is wrong with which file and how to mend it: not there, not readable, of no known
 *   format, truncated, pickled, not two-dimensional, not of numbers, without the column or member that is asked for
 */
export async function openTable(path: string, options: TableOptions = {}): Promise<Table> {
  const format = await recognise(path);
  try {
    return tableOf(path, format, await openReading(path, format, options));
  } catch (error) {
    options.signal?.throwIfAborted();
    throw asTableError(path, FORMAT_NAMES[format], error);
  }
}

async function openReading(path: string, format: TableFormat, options: TableOptions): Promise<TableReading> {
  const { column, columns, member } = options;
  const named = format === 'csv' || format === 'parquet' || format === 'arrow';
  requireTable(
    named || (column ?? columns) === undefined,
    path,
    `is a ${FORMAT_NAMES[format]}, which has no named columns`,
  );
  requireTable(
    format === 'npz' || member === undefined,
    path,
    `is a ${FORMAT_NAMES[format]}, which has no members`,
  );
  switch (format) {
    case 'npy':
      return openNpy(await fileSource(path));
    case 'npz':
      return openNpy(await npzSource(path, member));
    case 'csv':
      return openCsv(path, options);
    case 'parquet':
      return openParquet(path, options);
    case 'arrow':
      return openArrow(path, options);
  }
}

async function recognise(path: string): Promise<TableFormat> {
  const start = Buffer.alloc(8);
  let length: number;
  try {
    const file = await open(path, 'r');
    try {
      length = (await file.read(start, 0, start.length, 0)).bytesRead;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw asTableError(path, 'file', error);
  }
  const text = start.toString('latin1', 0, length);
  const known =
    MAGIC.find(([magic]) => text.startsWith(magic))?.[1] ?? EXTENSIONS[extname(path).toLowerCase()];
  if (known === undefined) {
    throw tableError(
      path,
      'is of no known format: .npy, .npz, .csv, .tsv, .parquet, .arrow and .feather are read',
    );
  }
  requireTable(length > 0, path, 'is empty (0 bytes). Write it again');
  return known;
}
