import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { decodeHalf, fileErrorCode } from '@fidelis/contracts';
import { AsyncRecordBatchFileReader, RecordBatchReader, type Data, type RecordBatch } from 'apache-arrow';
import { invalidArchive, reasonOf } from './archive-error.js';
import type { ShardEntry } from './archive-manifest.js';
import { columnProblem, type ShardShape } from './shard-columns.js';

/** Rows of one record batch, column by column. */
export interface RowBlock {
  readonly rows: number;
  readonly steps: Uint32Array;
  readonly rowNumbers: Uint32Array;
  readonly ids: Uint32Array;
  readonly mixing?: { readonly partners: Uint32Array; readonly weights: Float32Array };
  /** UTF-8; digest `i` lies at digestOffsets[i]…digestOffsets[i + 1]. */
  readonly digests: Uint8Array;
  readonly digestOffsets: Int32Array;
  /** [rows][width] */
  readonly logits: Float32Array;
}

/** @throws FidelisError ARCHIVE.INVALID where the file is not there, or not as long as the manifest says */
export async function checkFileSize(
  directory: string,
  entry: Pick<ShardEntry, 'file' | 'bytes'>,
): Promise<void> {
  const file = path.join(directory, entry.file);
  let size: number;
  try {
    ({ size } = await stat(file));
  } catch (error) {
    const missing = fileErrorCode(error) === 'ENOENT';
    const problem = missing ? 'the manifest lists it, and it is missing' : reasonOf(error);
    throw invalidArchive(file, `${problem}. Copy the whole directory again, or export it again`, {}, error);
  }
  if (size !== entry.bytes) {
    throw invalidArchive(
      file,
      `has ${size} bytes, and the manifest says ${entry.bytes}: it is truncated or was changed. Copy or export it again`,
      { expected: entry.bytes, actual: size },
    );
  }
}

/** @throws FidelisError ARCHIVE.INVALID where the bytes are not those that the manifest was written about */
export async function checkShardDigest(
  directory: string,
  shard: ShardEntry,
  signal?: AbortSignal,
): Promise<void> {
  await checkFileSize(directory, shard);
  const file = path.join(directory, shard.file);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  const actual = hash.digest('hex');
  if (actual !== shard.sha256) {
    throw invalidArchive(
      file,
      `its sha-256 is ${actual}, and the manifest says ${shard.sha256}: it was damaged or changed. Copy or export it again`,
      { expected: shard.sha256, actual },
    );
  }
}

/**
 * The record batches of a shard, one held at a time.
 *
 * @throws FidelisError ARCHIVE.INVALID: no Arrow IPC file, other columns, missing values
 */
export async function* readShard(file: string, shape: ShardShape): AsyncGenerator<RowBlock> {
  const handle = await open(file, 'r');
  try {
    const reader = await openReader(file, handle);
    const problem = columnProblem(reader.schema, shape);
    if (problem !== undefined) {
      throw invalidArchive(file, `${problem}. Write the columns that docs/streams.md lists, in these types`);
    }
    for (let index = 0; ; index++) {
      const batch = await readBatch(file, reader, index);
      if (batch === null) return;
      yield rowBlock(file, batch, shape);
    }
  } finally {
    await handle.close();
  }
}

async function openReader(file: string, handle: FileHandle): Promise<AsyncRecordBatchFileReader> {
  try {
    const reader = await RecordBatchReader.from(handle);
    await reader.open();
    if (reader instanceof AsyncRecordBatchFileReader) return reader;
  } catch (error) {
    throw unreadable(file, reasonOf(error), error);
  }
  throw unreadable(file, 'it has no footer');
}

async function readBatch(
  file: string,
  reader: AsyncRecordBatchFileReader,
  index: number,
): Promise<RecordBatch | null> {
  try {
    return await reader.readRecordBatch(index);
  } catch (error) {
    throw unreadable(file, reasonOf(error), error);
  }
}

function unreadable(file: string, reason: string, cause?: unknown): Error {
  return invalidArchive(
    file,
    `cannot be read as an Arrow IPC file: ${reason}. Write it with pyarrow.ipc.new_file and without compression`,
    {},
    cause,
  );
}

function rowBlock(file: string, batch: RecordBatch, shape: ShardShape): RowBlock {
  const rows = batch.numRows;
  const columnOf = (name: string): Data => {
    const data: Data | undefined = batch.getChild(name)?.data[0];
    const items: Data | undefined = data?.children[0];
    if (data === undefined || data.nullCount > 0 || (items?.nullCount ?? 0) > 0) {
      throw invalidArchive(file, `column "${name}" has missing values. Every row needs one`);
    }
    return data;
  };
  const numbers = (name: string): Uint32Array => (columnOf(name).values as Uint32Array).subarray(0, rows);
  const digests = columnOf('input_digest');
  const block = {
    rows,
    steps: numbers('step'),
    rowNumbers: numbers('row'),
    ids: numbers('sample_id'),
    digests: digests.values as Uint8Array,
    digestOffsets: digests.valueOffsets as Int32Array,
    logits: floats(columnOf('logits').children[0], rows * shape.width),
  };
  if (!shape.mixing) return block;
  const weights = (columnOf('mixing_weight').values as Float32Array).subarray(0, rows);
  return { ...block, mixing: { partners: numbers('partner_id'), weights } };
}

/** Halves come as their 16 bits. */
function floats(data: Data | undefined, count: number): Float32Array {
  const values = data?.values as Uint16Array | Float32Array;
  if (values instanceof Float32Array) return values.subarray(0, count);
  const decoded = new Float32Array(count);
  for (let index = 0; index < count; index++) decoded[index] = decodeHalf(values[index] ?? 0);
  return decoded;
}
