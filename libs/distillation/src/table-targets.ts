import { FidelisError, TABLE_CHUNK_ROWS, type LogitFrame } from '@fidelis/contracts';
import type { Batch, TableView } from '@fidelis/data';
import { combineMembers } from '@fidelis/models';
import { Arrival } from './arrival.js';
import { assertAligned, assertFits, type StreamLayout } from './stream-layout.js';
import type { TargetProvider } from './target-provider.js';

/** The teacher's logits over a table: kept once they came, [rows][classes] float32, for any order and number of epochs. */
export class TableTargets implements TargetProvider {
  framesConsumed = 0;
  framesTrained = 0;
  private readonly arrival = new Arrival();
  private readonly logits: Float32Array;
  /** Row of the table by sample id; −1 for what is not in the view. */
  private readonly rowOfId: Int32Array;
  /** By chunk, one entry for each part: whether it came. */
  private readonly arrived: boolean[][];
  /** By row: 1 once its chunk is complete. */
  private readonly complete: Uint8Array;
  /** By row: 1 once it was trained on. */
  private readonly trainedRows: Uint8Array;
  /** By chunk: rows that were not yet trained on. */
  private readonly untrained: Int32Array;
  /** The digest that was found right, by chunk. */
  private readonly verified = new Map<number, string>();

  /** @param stream `parts` and `partRows` of a whole chunk */
  constructor(
    private readonly view: TableView,
    private readonly stream: StreamLayout,
  ) {
    this.logits = new Float32Array(view.rows * stream.classes);
    this.complete = new Uint8Array(view.rows);
    this.trainedRows = new Uint8Array(view.rows);
    this.untrained = Int32Array.from({ length: view.chunks }, (_, chunk) => this.rowsOf(chunk));
    this.arrived = Array.from({ length: view.chunks }, () => new Array<boolean>(stream.parts).fill(false));
    this.rowOfId = new Int32Array((view.ids.at(-1) ?? -1) + 1).fill(-1);
    view.ids.forEach((id, row) => (this.rowOfId[id] = row));
  }

  get waitSeconds(): number {
    return this.arrival.waitSeconds;
  }

  /** True when the whole table is here. */
  get isComplete(): boolean {
    return this.framesConsumed === this.view.chunks;
  }

  /**
   * Takes a frame in, in any order; one that came before is dropped.
   *
   * @throws FidelisError STREAM.MISALIGNED, FRAME.INVALID, FRAME.FOREIGN
   */
  accept(frame: LogitFrame): void {
    const parts = this.arrived[frame.step];
    if (parts === undefined) {
      throw new FidelisError(
        'FRAME.INVALID',
        `there is no chunk ${frame.step}: this table has ${this.view.chunks}`,
      );
    }
    const start = frame.step * TABLE_CHUNK_ROWS;
    const rows = this.rowsOf(frame.step);
    const { view } = this;
    assertFits(frame, this.stream, { view: view.spec, rows, inputs: () => view.chunk(frame.step).inputs });
    if (parts[frame.part] === true) return;
    this.verify(frame);
    const { members, classes, partRows } = this.stream;
    if (frame.rows > 0) {
      this.logits.set(
        combineMembers(frame.values, frame.rows, members, classes),
        (start + frame.part * partRows) * classes,
      );
    }
    parts[frame.part] = true;
    if (!parts.every(Boolean)) return;
    this.complete.fill(1, start, start + rows);
    this.framesConsumed++;
    this.arrival.announce();
  }

  /** No more frames will come: a training that waits, now or later, throws the error. */
  fail(error: unknown): void {
    this.arrival.fail(error);
  }

  trained(_step: number, ids: Uint32Array): void {
    for (const id of ids) {
      const row = this.rowOf(id);
      if (this.trainedRows[row] === 1) continue;
      this.trainedRows[row] = 1;
      const chunk = Math.floor(row / TABLE_CHUNK_ROWS);
      const left = (this.untrained[chunk] ?? 0) - 1;
      this.untrained[chunk] = left;
      if (left === 0) this.framesTrained++;
    }
  }

  async targets(_step: number, batch: Batch): Promise<Float32Array> {
    const { classes } = this.stream;
    const rows = Array.from(batch.ids, (id) => this.rowOf(id));
    await this.arrival.until(() => rows.every((row) => this.complete[row] === 1));
    const logits = new Float32Array(rows.length * classes);
    rows.forEach((row, i) => {
      logits.set(this.logits.subarray(row * classes, (row + 1) * classes), i * classes);
    });
    return logits;
  }

  private rowsOf(chunk: number): number {
    return Math.min(TABLE_CHUNK_ROWS, this.view.rows - chunk * TABLE_CHUNK_ROWS);
  }

  private rowOf(id: number): number {
    const row = this.rowOfId[id] ?? -1;
    if (row < 0)
      throw new FidelisError('INTERNAL', `sample ${id} of the batch is not in the teacher's table`);
    return row;
  }

  /** The chunk's inputs are built and hashed once; every part must carry the same digest. */
  private verify(frame: LogitFrame): void {
    if (this.verified.get(frame.step) === frame.inputDigest) return;
    assertAligned(frame, this.stream, this.view.spec, this.view.chunk(frame.step).inputs);
    this.verified.set(frame.step, frame.inputDigest);
  }
}
