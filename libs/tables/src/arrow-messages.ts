import { Message } from 'apache-arrow';
import { type ByteRange, type ByteSource } from './byte-source.js';
import { requireTable } from './table-error.js';

export interface ArrowBatch {
  readonly range: ByteRange;
  readonly rows: number;
}

export interface ArrowMessages {
  readonly schema: ByteRange;
  readonly dictionaries: readonly ByteRange[];
  readonly batches: readonly ArrowBatch[];
}

const FILE_MAGIC = 'ARROW1';
const CONTINUATION = 0xffffffff;

/**
 * Finds the messages of an Arrow IPC file or stream by their headers, without reading their bodies (Arrow columnar format,
 * "Encapsulated message format"). A file is a stream between a mark and a footer, which is not needed to read from front to back.
 *
 * @throws FidelisError REQUEST.INVALID where a message ends behind the file's end, or the schema is not the first
 */
export async function findArrowMessages(source: ByteSource): Promise<ArrowMessages> {
  const start = Buffer.from(await bytesOf(source, 0, Math.min(6, source.length))).toString('latin1');
  const dictionaries: ByteRange[] = [];
  const batches: ArrowBatch[] = [];
  let schema: ByteRange | undefined;
  let at = start === FILE_MAGIC ? 8 : 0;
  while (at + 8 <= source.length) {
    const prefix = new DataView((await bytesOf(source, at, at + 8)).buffer);
    const marked = prefix.getUint32(0, true) === CONTINUATION;
    const metadataStart = at + (marked ? 8 : 4);
    const metadataBytes = prefix.getInt32(marked ? 4 : 0, true);
    if (metadataBytes === 0) break;
    requireWithin(source, metadataStart + metadataBytes, metadataBytes > 0);
    const message = Message.decode(await bytesOf(source, metadataStart, metadataStart + metadataBytes));
    const end = metadataStart + metadataBytes + message.bodyLength;
    requireWithin(source, end, true);
    const range = { start: at, end };
    if (message.isSchema()) schema ??= range;
    else if (message.isDictionaryBatch()) dictionaries.push(range);
    else if (message.isRecordBatch()) batches.push({ range, rows: message.header().length });
    at = end;
  }
  requireTable(
    schema !== undefined,
    source.name,
    'has no Arrow schema: it is truncated or no Arrow IPC file. Write it again',
  );
  return { schema, dictionaries, batches };
}

function requireWithin(source: ByteSource, end: number, sensible: boolean): void {
  requireTable(
    sensible && end <= source.length,
    source.name,
    `has ${source.length} bytes, and a message in it should end at byte ${end}: it is truncated. Write or copy it again`,
  );
}

export async function bytesOf(
  source: ByteSource,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(0);
  for await (const read of source.read([{ start, end }])) bytes = read;
  return bytes;
}
