import {
  CompressionType,
  compressionRegistry,
  DataType,
  Precision,
  RecordBatchReader,
  type Field,
  type RecordBatch,
} from 'apache-arrow';
import { decompress as decompressZstd } from 'fzstd';
import { bytesOf, findArrowMessages, type ArrowMessages } from './arrow-messages.js';
import { fileSource, type ByteSource } from './byte-source.js';
import { chooseColumns } from './column-choice.js';
import { decompressLz4Frame } from './lz4-frame.js';
import { cellError, exactInteger, toRowChunk, type NumberArray } from './number-decoding.js';
import { requireTable, tableError } from './table-error.js';
import { allocate, commonType, type NumberType, type RowChunk, type TableOptions } from './table.js';
import { type TableReading } from './table-reading.js';

/**
 * An Arrow IPC file or stream, or Feather version 2; record batches may be compressed (LZ4, Zstandard). One record batch is held at a
 * time. Columns are numbers, one per class, or the only column holds lists of one length.
 */
export async function openArrow(path: string, options: TableOptions): Promise<TableReading> {
  // The library looks decompressors up in a registry of its own; setting them again changes nothing.
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decompressLz4Frame });
  // The copy begins at a multiple of 8, as the numbers in it must.
  compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => decompressZstd(bytes).slice() });
  const source = await fileSource(path);
  const messages = await findArrowMessages(source);
  const { start, end } = messages.schema;
  const reader = RecordBatchReader.from(await bytesOf(source, start, end)).open();
  const fields: readonly Field<DataType>[] = reader.schema.fields;
  const known = fields.map((field) => field.name);
  const names = chooseColumns(path, known, options);
  const types = names.map((name) => elementType(path, name, fields[known.indexOf(name)]?.type));
  const listColumn = names[types.findIndex(({ list }) => list)];
  const lists = listColumn !== undefined;
  requireTable(
    !lists || names.length === 1,
    path,
    `has lists in column "${listColumn}" and other columns. Name the column to read, as in FILE:${listColumn}`,
  );
  const rows = messages.batches.reduce((sum, batch) => sum + batch.rows, 0);
  const dtype = commonType(types.map((type) => type.dtype));
  const [column = ''] = names;
  const columns = lists ? await listWidth(source, messages, column) : names.length;
  return {
    rows,
    columns,
    dtype,
    blocks: async function* () {
      let firstRow = 0;
      for (const { range, rows: height } of messages.batches) {
        const batch = await readBatch(source, messages, range.start, range.end);
        const shape = { path, firstRow, height, columns, dtype };
        yield lists ? listBlock(batch, column, shape) : scalarBlock(batch, names, shape);
        firstRow += height;
      }
    },
  };
}

interface BlockShape {
  readonly path: string;
  readonly firstRow: number;
  readonly height: number;
  readonly columns: number;
  readonly dtype: NumberType;
}

interface ArrowNumbers {
  readonly length: number;
  readonly nullCount: number;
  toArray(): unknown;
  get(index: number): unknown;
}

function elementType(
  path: string,
  name: string,
  type: DataType | undefined,
): { readonly dtype: NumberType; readonly list: boolean } {
  if (DataType.isDictionary(type)) return elementType(path, name, type.dictionary as DataType);
  if (DataType.isFixedSizeList(type) || DataType.isList(type) || DataType.isLargeList(type)) {
    const inner = elementType(path, name, type.valueType as DataType);
    if (!inner.list) return { ...inner, list: true };
  }
  if (DataType.isFloat(type)) {
    const dtype = {
      [Precision.HALF]: 'float16',
      [Precision.SINGLE]: 'float32',
      [Precision.DOUBLE]: 'float64',
    } as const;
    return { dtype: dtype[type.precision], list: false };
  }
  if (DataType.isInt(type)) {
    return { dtype: `${type.isSigned ? '' : 'u'}int${type.bitWidth}` as NumberType, list: false };
  }
  throw tableError(
    path,
    `column "${name}" holds neither numbers nor lists of numbers. Choose the columns to read, as in FILE:logit_* or FILE:label, or convert it`,
  );
}

async function listWidth(source: ByteSource, messages: ArrowMessages, column: string): Promise<number> {
  const filled = messages.batches.find(({ rows }) => rows > 0);
  requireTable(
    filled !== undefined,
    source.name,
    `column "${column}" has no rows, so that the length of its lists is not known`,
  );
  const batch = await readBatch(source, messages, filled.range.start, filled.range.end);
  const first = numbersOf(batch, column).get(0) as ArrowNumbers | null;
  requireTable(
    first !== null && first.length > 0,
    source.name,
    `row 0, column "${column}": there is no list. Write a list in each row`,
  );
  return first.length;
}

/** A record batch on its own: the schema and the dictionaries before it make it a stream. */
async function readBatch(
  source: ByteSource,
  messages: ArrowMessages,
  start: number,
  end: number,
): Promise<RecordBatch> {
  const ranges = [messages.schema, ...messages.dictionaries, { start, end }];
  // An ArrayBuffer of its own: messages have multiples of 8 bytes, and numbers stay aligned.
  const stream = new Uint8Array(ranges.reduce((sum, range) => sum + range.end - range.start, 0));
  let at = 0;
  for (const range of ranges) {
    const bytes = await bytesOf(source, range.start, range.end);
    stream.set(bytes, at);
    at += bytes.length;
  }
  const [batch] = [...RecordBatchReader.from(stream)] as RecordBatch[];
  requireTable(batch !== undefined, source.name, 'has a record batch that cannot be read. Write it again');
  return batch;
}

function numbersOf(batch: RecordBatch, name: string): ArrowNumbers {
  return batch.getChild(name) as unknown as ArrowNumbers;
}

function numbers(vector: ArrowNumbers, column: string, row: number | undefined, shape: BlockShape): RowChunk {
  if (vector.nullCount > 0) {
    const missing = Array.from({ length: vector.length }, (_, index) => index).find(
      (index) => vector.get(index) === null,
    );
    throw cellError(
      shape.path,
      row ?? shape.firstRow + (missing ?? 0),
      column,
      'there is no value. Fill it, or leave the row out',
    );
  }
  try {
    const values = plainNumbers(vector.toArray());
    return toRowChunk(
      values,
      values instanceof Uint16Array && shape.dtype === 'float16' ? 'float16' : 'float64',
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw cellError(shape.path, row ?? shape.firstRow, column, `${reason}, here or in a row below`);
  }
}

/** Values of a dictionary come one by one, in an array of their own type. */
function plainNumbers(values: unknown): NumberArray {
  if (!Array.isArray(values)) return values as NumberArray;
  return Float64Array.from(values as readonly (number | bigint)[], (value) =>
    typeof value === 'bigint' ? exactInteger(value) : value,
  );
}

function scalarBlock(batch: RecordBatch, names: readonly string[], shape: BlockShape): RowChunk {
  const block = allocate(shape.dtype, shape.height * shape.columns);
  names.forEach((name, column) => {
    const values = numbers(numbersOf(batch, name), name, undefined, shape);
    for (let row = 0; row < shape.height; row++) block[row * shape.columns + column] = values[row] ?? NaN;
  });
  return block;
}

function listBlock(batch: RecordBatch, name: string, shape: BlockShape): RowChunk {
  const { path, firstRow, height, columns } = shape;
  const block = allocate(shape.dtype, height * columns);
  const lists = numbersOf(batch, name);
  for (let index = 0; index < height; index++) {
    const list = lists.get(index) as ArrowNumbers | null;
    if (list?.length !== columns) {
      const length = list === null ? 'there is no list' : `the list has ${list.length} numbers`;
      throw cellError(
        path,
        firstRow + index,
        name,
        `${length} where the first row has ${columns}. Make them one length`,
      );
    }
    block.set(numbers(list, name, firstRow + index, shape), index * columns);
  }
  return block;
}
