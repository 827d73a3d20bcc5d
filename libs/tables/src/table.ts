export const TABLE_FORMATS = ['npy', 'npz', 'csv', 'parquet', 'arrow'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

export const NUMBER_TYPES = [
  'float16',
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
] as const;
/** Type of the numbers in the file; of columns of different types, float64. */
export type NumberType = (typeof NUMBER_TYPES)[number];

/** `rows` × `columns` numbers, row by row: element (row, column) at row · columns + column. */
export type RowChunk = Float32Array | Float64Array;

/**
 * A matrix of numbers in a file, read in chunks of rows. One row per sample, one column per class; a file with one number per row
 * has one column. It holds no file open between two readings and may be read any number of times.
 */
export interface Table {
  readonly path: string;
  readonly format: TableFormat;
  /** At least 0. */
  readonly rows: number;
  /** At least 1. */
  readonly columns: number;
  readonly dtype: NumberType;
  /**
   * All rows in order. Every chunk has `rowsPerChunk` rows except the last, and is the caller's to keep. float16 and float32 come
   * as Float32Array, everything else as Float64Array, without loss. NaN and infinities pass as they are.
   *
   * @throws FidelisError REQUEST.INVALID, while reading, for what the file's header did not show: a truncated file, a cell that is no
   *   number, a missing value, an integer beyond ±2^53
   */
  chunks(rowsPerChunk: number): AsyncIterable<RowChunk>;
}

export interface TableOptions {
  /** `.npz`: the member, with or without `.npy`. Needed if there is more than one. */
  readonly member?: string;
  /** CSV, Parquet, Arrow: the only column to read: numbers, or lists of one length (Parquet, Arrow). */
  readonly column?: string;
  /**
   * CSV, Parquet, Arrow: the columns to read, in this order; "logit_*" is all whose names begin so, in the file's order.
   *
   * @default all of the file, in its order
   */
  readonly columns?: readonly string[];
  /** Once aborted, what opening has to read (the rows of a CSV file, labels) is given up with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Whether a type's numbers are all float32 numbers and come as Float32Array. */
export function isSingle(dtype: NumberType): boolean {
  return dtype === 'float16' || dtype === 'float32';
}

/** Zeros for `length` numbers of a type, in the array in which chunks of it come. */
export function allocate(dtype: NumberType, length: number): RowChunk {
  return isSingle(dtype) ? new Float32Array(length) : new Float64Array(length);
}

/** The type of a table of columns of these types: theirs if it is one, float64 otherwise. */
export function commonType(types: readonly NumberType[]): NumberType {
  const [first = 'float64'] = types;
  return types.every((type) => type === first) ? first : 'float64';
}
