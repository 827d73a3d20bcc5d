import { FidelisError } from '@fidelis/contracts';
import type { InputRoom } from './input-room.js';
import { permutation } from './permutation.js';

/** Every array is new and belongs to the caller, but for inputs that lie in a room of the caller's. */
export interface Batch {
  /** [rows]: positions in the split. */
  readonly ids: Uint32Array;
  /** [rows][height][width][channels], scaled to [−1, 1]; of texts [rows][length], numbers of words. */
  readonly inputs: Float32Array;
  /** [rows]; −1 where an input has none (see SequenceView). */
  readonly labels: Int32Array;
}

/** Batches by global step, 0-based over all epochs. `batch(step)` is a pure function: any order, any number of times. */
export interface BatchSource {
  readonly stepsPerEpoch: number;
  /**
   * @param room where the inputs are put, until those of another batch are
   * @throws FidelisError REQUEST.INVALID unless `step` is an integer of at least 0
   */
  batch(step: number, room?: InputRoom): Batch;
}

/** Which samples each step takes: all of them once per epoch in a new order; the last step of an epoch may be shorter. */
export class EpochOrder {
  readonly stepsPerEpoch: number;
  /** Order of the epoch asked for last: steps mostly come one after another. */
  private current: { readonly epoch: number; readonly order: Uint32Array } | undefined;

  /** @param ids the samples; not copied */
  constructor(
    private readonly ids: Uint32Array,
    private readonly seed: number,
    private readonly batchSize: number,
  ) {
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new FidelisError('SPEC.INVALID', `batchSize: ${batchSize} is not a positive whole number`);
    }
    this.stepsPerEpoch = Math.ceil(ids.length / batchSize);
  }

  /** @throws FidelisError REQUEST.INVALID unless `step` is an integer of at least 0 */
  at(step: number): { readonly epoch: number; readonly ids: Uint32Array } {
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new FidelisError('REQUEST.INVALID', `there is no step ${step}: steps are counted from 0`);
    }
    const epoch = Math.floor(step / this.stepsPerEpoch);
    const start = (step % this.stepsPerEpoch) * this.batchSize;
    const positions = this.orderOf(epoch).subarray(start, start + this.batchSize);
    return { epoch, ids: positions.map((position) => this.ids[position] ?? 0) };
  }

  private orderOf(epoch: number): Uint32Array {
    if (this.current?.epoch !== epoch) {
      this.current = { epoch, order: permutation(this.seed, epoch, this.ids.length) };
    }
    return this.current.order;
  }
}
