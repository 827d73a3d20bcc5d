import { createHash, type Hash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { AsyncByteQueue, RecordBatchFileWriter, type Schema } from 'apache-arrow';
import type { ShardEntry } from './archive-manifest.js';
import type { RowBuffer, RowRun } from './row-buffer.js';

/** Where the encoder's bytes go until they are written; the library's own queue keeps them all. */
class EncodedBytes extends AsyncByteQueue {
  private chunks: Uint8Array[] = [];

  override write(chunk: Uint8Array): void {
    this.chunks.push(chunk);
  }

  take(): Uint8Array[] {
    const taken = this.chunks;
    this.chunks = [];
    return taken;
  }
}

/** Description of the file at its end, and of each record batch there and before it; rounded up. */
const FILE_OVERHEAD_BYTES = 4_096;
const BATCH_OVERHEAD_BYTES = 1_024;

/** One Arrow IPC file, without compression, written as its rows come. */
export class ShardWriter {
  private readonly encoded = new EncodedBytes();
  private readonly encoder = new RecordBatchFileWriter();
  private readonly hash: Hash = createHash('sha256');
  private bytes = 0;
  private rows = 0;
  private batches = 0;

  private constructor(
    private readonly file: FileHandle,
    private readonly name: string,
    private readonly firstStep: number,
    private readonly buffer: RowBuffer,
  ) {}

  static async create(
    directory: string,
    name: string,
    firstStep: number,
    schema: Schema,
    buffer: RowBuffer,
  ): Promise<ShardWriter> {
    const writer = new ShardWriter(await open(path.join(directory, name), 'wx'), name, firstStep, buffer);
    writer.encoder.reset(writer.encoded, schema);
    return writer;
  }

  /** Bytes of the file if it ended after `more` rows more. */
  sizeWith(more: number, rowBytes: number): number {
    const waiting = this.buffer.rows + more;
    const batches = this.batches + Math.ceil(waiting / this.buffer.capacity);
    return this.bytes + waiting * rowBytes + FILE_OVERHEAD_BYTES + batches * BATCH_OVERHEAD_BYTES;
  }

  async add(run: RowRun): Promise<void> {
    for (let from = 0; from < run.ids.length;) {
      from += this.buffer.take(run, from);
      if (this.buffer.full) await this.flush();
    }
    this.rows += run.ids.length;
  }

  /** @param endStep the step after the last one in it */
  async finish(endStep: number): Promise<ShardEntry> {
    if (this.buffer.rows > 0) await this.flush();
    this.encoder.close();
    await this.write();
    await this.file.sync();
    await this.file.close();
    return {
      file: this.name,
      firstStep: this.firstStep,
      steps: endStep - this.firstStep,
      rows: this.rows,
      bytes: this.bytes,
      sha256: this.hash.digest('hex'),
    };
  }

  async abandon(): Promise<void> {
    await this.file.close();
  }

  private async flush(): Promise<void> {
    this.encoder.write(this.buffer.batch());
    this.batches += 1;
    await this.write();
    this.buffer.clear();
  }

  private async write(): Promise<void> {
    const bytes = Buffer.concat(this.encoded.take());
    this.hash.update(bytes);
    this.bytes += bytes.length;
    await this.file.writeFile(bytes);
  }
}
