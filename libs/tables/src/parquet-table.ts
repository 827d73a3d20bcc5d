import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
  type AsyncBuffer,
  type DecodedArray,
  type FileMetaData,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { chooseColumns } from './column-choice.js';
import { cellError, exactInteger } from './number-decoding.js';
import { requireTable, tableError } from './table-error.js';
import { allocate, commonType, type NumberType, type RowChunk, type TableOptions } from './table.js';
import { type TableReading } from './table-reading.js';

/** Numbers of a block: a row group of more is read in parts. */
const BLOCK_NUMBERS = 2 ** 23;
/** A column of a row group is held whole, compressed and decompressed; beyond this it is refused. */
const MAX_COLUMN_BYTES = 2 ** 30;

interface ParquetFile {
  readonly path: string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly names: readonly string[];
  readonly dtype: NumberType;
  readonly columns: number;
}

/**
 * A Parquet file of any of its encodings and compressions. Columns are numbers, one per class, or the only column holds lists of one
 * length. Held at a time are one block of about 8 million numbers and one column of one row group.
 */
export async function openParquet(path: string, options: TableOptions): Promise<TableReading> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const fields = parquetSchema(metadata).children;
  const known = fields.map((field) => field.element.name);
  const names = chooseColumns(path, known, options);
  const types = names.map((name) => elementType(path, name, fields[known.indexOf(name)]));
  const listColumn = names[types.findIndex(({ list }) => list)];
  const lists = listColumn !== undefined;
  requireTable(
    !lists || names.length === 1,
    path,
    `has lists in column "${listColumn}" and other columns. Name the column to read, as in FILE:${listColumn}`,
  );
  requireColumnSizes(path, metadata, names);
  const dtype = commonType(types.map((type) => type.dtype));
  const shape = { path, file, metadata, names, dtype, columns: names.length };
  const columns = lists ? await listWidth(shape) : names.length;
  return {
    rows: Number(metadata.num_rows),
    columns,
    dtype,
    blocks: () => readBlocks({ ...shape, columns }, lists),
  };
}

function elementType(
  path: string,
  name: string,
  field: SchemaTree | undefined,
): { readonly dtype: NumberType; readonly list: boolean } {
  let leaf = field;
  while (leaf?.children.length === 1) leaf = leaf.children[0];
  const type = leaf?.children.length === 0 ? numberType(leaf) : undefined;
  const list = leaf !== field;
  const flat = list
    ? field?.element.converted_type === 'LIST' || field?.element.logical_type?.type === 'LIST'
    : true;
  if (type !== undefined && flat) return { dtype: type, list };
  throw tableError(
    path,
    `column "${name}" holds neither numbers nor lists of numbers. Choose the columns to read, as in FILE:logit_* or FILE:label, or convert it`,
  );
}

function numberType({ element }: SchemaTree): NumberType | undefined {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (type === 'FLOAT') return 'float32';
  if (type === 'DOUBLE') return 'float64';
  if (logical?.type === 'FLOAT16') return 'float16';
  if (type !== 'INT32' && type !== 'INT64') return undefined;
  const known = /^(U?)INT_(8|16|32|64)$/.exec(converted ?? '');
  if (known !== null) return `${known[1] === 'U' ? 'u' : ''}int${known[2]}` as NumberType;
  if (converted !== undefined || (logical !== undefined && logical.type !== 'INTEGER')) return undefined;
  return type === 'INT32' ? 'int32' : 'int64';
}

function requireColumnSizes(path: string, metadata: FileMetaData, names: readonly string[]): void {
  for (const group of metadata.row_groups) {
    for (const { meta_data: column } of group.columns) {
      const [name = ''] = column?.path_in_schema ?? [];
      const bytes = Number(column?.total_uncompressed_size ?? 0n);
      requireTable(
        !names.includes(name) || bytes <= MAX_COLUMN_BYTES,
        path,
        `column "${name}" has ${bytes} bytes in one row group, which would all be held. Write it with smaller row groups, for example row_group_size=16384`,
      );
    }
  }
}

/** Values of a column from a row up to another of the same row group. Nothing is kept for a later call. */
async function readColumn(
  file: ParquetFile,
  column: string,
  rowStart: number,
  rowEnd: number,
): Promise<DecodedArray> {
  const scan = await parquetScan({
    file: file.file,
    metadata: file.metadata,
    columns: [column],
    compressors,
  });
  return scan.readColumn({ column, rowStart, rowEnd });
}

async function listWidth(file: ParquetFile): Promise<number> {
  const [column = ''] = file.names;
  requireTable(
    file.metadata.num_rows > 0n,
    file.path,
    `column "${column}" has no rows, so that the length of its lists is not known`,
  );
  const first: unknown = (await readColumn(file, column, 0, 1))[0];
  requireTable(
    isList(first) && first.length > 0,
    file.path,
    `row 0, column "${column}": there is no list. Write a list in each row`,
  );
  return first.length;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

async function* readBlocks(file: ParquetFile, lists: boolean): AsyncGenerator<RowChunk> {
  const step = Math.max(1, Math.floor(BLOCK_NUMBERS / file.columns));
  let groupStart = 0;
  for (const group of file.metadata.row_groups) {
    const groupEnd = groupStart + Number(group.num_rows);
    for (let row = groupStart; row < groupEnd; row += step) {
      const end = Math.min(row + step, groupEnd);
      yield await (lists ? listBlock(file, row, end) : scalarBlock(file, row, end));
    }
    groupStart = groupEnd;
  }
}

async function scalarBlock(file: ParquetFile, start: number, end: number): Promise<RowChunk> {
  const { columns } = file;
  const block = allocate(file.dtype, (end - start) * columns);
  for (const [column, name] of file.names.entries()) {
    const values = await readColumn(file, name, start, end);
    for (let row = 0; row < end - start; row++) {
      block[row * columns + column] = cell(file, values[row], start + row, name);
    }
  }
  return block;
}

async function listBlock(file: ParquetFile, start: number, end: number): Promise<RowChunk> {
  const { columns } = file;
  const [name = ''] = file.names;
  const block = allocate(file.dtype, (end - start) * columns);
  const values = await readColumn(file, name, start, end);
  for (let row = 0; row < end - start; row++) {
    const list: unknown = values[row];
    if (!isList(list) || list.length !== columns) {
      const length = isList(list) ? `the list has ${list.length} numbers` : 'there is no list';
      throw cellError(
        file.path,
        start + row,
        name,
        `${length} where the first row has ${columns}. Make them one length`,
      );
    }
    for (let column = 0; column < columns; column++) {
      block[row * columns + column] = cell(file, list[column], start + row, name);
    }
  }
  return block;
}

function cell(file: ParquetFile, value: unknown, row: number, column: string): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'bigint') {
    throw cellError(file.path, row, column, 'there is no value. Fill it, or leave the row out');
  }
  try {
    return exactInteger(value);
  } catch (error) {
    throw cellError(file.path, row, column, error instanceof Error ? error.message : String(error));
  }
}
