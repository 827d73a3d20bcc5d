import { FidelisError, TABLE_CHUNK_ROWS, type TableViewSpec } from '@fidelis/contracts';
import { EpochOrder, type BatchSource } from './batch.js';
import type { Dataset, InputShape } from './dataset.js';
import type { InputRoom } from './input-room.js';
import { cleanInputs, labelsOf, viewSamples, type ViewSamples } from './view-samples.js';

/** Rows of one frame of a table. Both arrays are new and belong to the caller, but for inputs that lie in a room of the caller's. */
export interface TableChunk {
  /** [rows], ascending. */
  readonly ids: Uint32Array;
  /** [rows][height][width][channels], scaled to [−1, 1]; of texts [rows][length], numbers of words. */
  readonly inputs: Float32Array;
}

/** A view without randomness: each sample has one form. */
export class TableView {
  /** Samples of the view. */
  readonly rows: number;
  /** Chunks of TABLE_CHUNK_ROWS rows in ascending id order; the last one may be shorter. */
  readonly chunks: number;
  /** Ascending; read only. */
  readonly ids: Uint32Array;

  constructor(
    readonly spec: TableViewSpec,
    readonly inputShape: InputShape,
    readonly classes: number,
    private readonly samples: ViewSamples,
  ) {
    this.ids = samples.ids;
    this.rows = this.ids.length;
    this.chunks = Math.ceil(this.rows / TABLE_CHUNK_ROWS);
  }

  /**
   * @param room where the inputs are put, until others are
   * @throws FidelisError REQUEST.INVALID unless `index` is 0…chunks−1
   */
  chunk(index: number, room?: InputRoom): TableChunk {
    if (!Number.isInteger(index) || index < 0 || index >= this.chunks) {
      throw new FidelisError('REQUEST.INVALID', `there is no chunk ${index}: the table has ${this.chunks}`);
    }
    const ids = this.ids.slice(index * TABLE_CHUNK_ROWS, (index + 1) * TABLE_CHUNK_ROWS);
    return { ids, inputs: this.inputs(ids, room) };
  }

  /**
   * @returns [ids][height][width][channels], scaled to [−1, 1]; of texts [ids][length], numbers of words; in the order of `ids`; a new array unless there is a room for it
   * @throws FidelisError REQUEST.INVALID if an id is not in the split
   */
  inputs(ids: Uint32Array, room?: InputRoom): Float32Array {
    return cleanInputs(this.samples, ids, room);
  }

  /**
   * @returns [ids]; a new array
   * @throws FidelisError REQUEST.INVALID if an id is not in the split
   */
  labels(ids: Uint32Array): Int32Array {
    return labelsOf(this.samples, ids);
  }
}

/** @throws FidelisError DATASET.MISMATCH, SPEC.INVALID */
export function createTableView(dataset: Dataset, spec: TableViewSpec): TableView {
  return new TableView(spec, dataset.inputShape, dataset.classes, viewSamples(dataset, spec));
}

/** Batches of a table in a new order every epoch. The order is the student's own matter: not part of the view. */
export function batchesOf(
  view: TableView,
  { seed, batchSize }: { readonly seed: number; readonly batchSize: number },
): BatchSource {
  const order = new EpochOrder(view.ids, seed, batchSize);
  return {
    stepsPerEpoch: order.stepsPerEpoch,
    batch: (step, room) => {
      const { ids } = order.at(step);
      return { ids, inputs: view.inputs(ids, room), labels: view.labels(ids) };
    },
  };
}
