import { encodeHalf } from '@fidelis/contracts';
import {
  makeData,
  RecordBatch,
  Struct,
  type Data,
  type DataType,
  type FixedSizeList,
  type Schema,
} from 'apache-arrow';
import { DIGEST_LENGTH, shardRowBytes, type ShardShape } from './shard-columns.js';

/** Rows of one step that follow one another. */
export interface RowRun {
  readonly step: number;
  /** Within the step, of the first one. */
  readonly firstRow: number;
  /** [rows] */
  readonly ids: Uint32Array;
  /** [rows] */
  readonly mixing?: { readonly partners: Uint32Array; readonly weights: Float32Array };
  readonly inputDigest: string;
  /** [rows][width] */
  readonly values: Float32Array;
}

/** Record batches are small beside a shard, and large beside their own description of about 700 bytes. */
const BATCH_BYTES = 1024 * 1024;

/** The columns of one record batch, used again for the next. */
export class RowBuffer {
  /** Rows that fit. */
  readonly capacity: number;
  rows = 0;
  private readonly steps: Uint32Array;
  private readonly rowNumbers: Uint32Array;
  private readonly ids: Uint32Array;
  private readonly partners: Uint32Array;
  private readonly weights: Float32Array;
  private readonly digests: Uint8Array;
  private readonly digestOffsets: Int32Array;
  private readonly logits: Uint16Array | Float32Array;

  constructor(
    private readonly schema: Schema,
    private readonly shape: ShardShape,
  ) {
    const capacity = Math.max(1, Math.floor(BATCH_BYTES / shardRowBytes(shape)));
    this.capacity = capacity;
    this.steps = new Uint32Array(capacity);
    this.rowNumbers = new Uint32Array(capacity);
    this.ids = new Uint32Array(capacity);
    this.partners = new Uint32Array(shape.mixing ? capacity : 0);
    this.weights = new Float32Array(shape.mixing ? capacity : 0);
    this.digests = new Uint8Array(capacity * DIGEST_LENGTH);
    this.digestOffsets = Int32Array.from({ length: capacity + 1 }, (_, index) => index * DIGEST_LENGTH);
    const count = capacity * shape.width;
    this.logits = shape.codec === 'f16' ? new Uint16Array(count) : new Float32Array(count);
  }

  get full(): boolean {
    return this.rows === this.capacity;
  }

  /** Takes as many rows of a run from `from` on as fit. @returns how many */
  take(run: RowRun, from: number): number {
    const count = Math.min(this.capacity - this.rows, run.ids.length - from);
    const at = this.rows;
    const digest = Buffer.from(run.inputDigest, 'latin1');
    this.steps.fill(run.step, at, at + count);
    for (let index = 0; index < count; index++) {
      this.rowNumbers[at + index] = run.firstRow + from + index;
      this.digests.set(digest, (at + index) * DIGEST_LENGTH);
    }
    this.ids.set(run.ids.subarray(from, from + count), at);
    if (run.mixing !== undefined) {
      this.partners.set(run.mixing.partners.subarray(from, from + count), at);
      this.weights.set(run.mixing.weights.subarray(from, from + count), at);
    }
    this.takeValues(run.values.subarray(from * this.shape.width, (from + count) * this.shape.width));
    this.rows += count;
    return count;
  }

  private takeValues(values: Float32Array): void {
    const start = this.rows * this.shape.width;
    const { logits } = this;
    if (logits instanceof Float32Array) return logits.set(values, start);
    for (let index = 0; index < values.length; index++)
      logits[start + index] = encodeHalf(values[index] ?? NaN);
  }

  /** The rows taken so far, as views of this buffer: to be written before more are taken. */
  batch(): RecordBatch {
    const length = this.rows;
    const children = this.schema.fields.map(({ name, type }): Data => {
      const column = { type: type as DataType, length, nullCount: 0 };
      if (name === 'logits') return columnData({ ...column, child: this.items(type as FixedSizeList) });
      if (name !== 'input_digest') return columnData({ ...column, data: this.flat(name) });
      return columnData({
        ...column,
        data: this.digests.subarray(0, length * DIGEST_LENGTH),
        valueOffsets: this.digestOffsets.subarray(0, length + 1),
      });
    });
    const type = new Struct(this.schema.fields);
    return new RecordBatch(this.schema, makeData({ type, length, nullCount: 0, children }));
  }

  private items(type: FixedSizeList): Data {
    const length = this.rows * this.shape.width;
    return columnData({
      type: type.valueType as DataType,
      length,
      nullCount: 0,
      data: this.logits.subarray(0, length),
    });
  }

  private flat(name: string): Uint32Array | Float32Array {
    const columns: Readonly<Record<string, Uint32Array | Float32Array>> = {
      step: this.steps,
      row: this.rowNumbers,
      sample_id: this.ids,
      partner_id: this.partners,
      mixing_weight: this.weights,
    };
    const values = columns[name];
    if (values === undefined) throw new TypeError(`no column ${name}`);
    return values.subarray(0, this.rows);
  }

  clear(): void {
    this.rows = 0;
  }
}

/** The library's types know each column type apart; here it is one of several. */
function columnData(parts: {
  readonly type: DataType;
  readonly length: number;
  readonly nullCount: number;
  readonly data?: Uint8Array | Uint16Array | Uint32Array | Float32Array;
  readonly valueOffsets?: Int32Array;
  readonly child?: Data;
}): Data {
  return makeData(parts as Parameters<typeof makeData>[0]);
}
