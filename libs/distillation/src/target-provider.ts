import type { Batch } from '@fidelis/data';

/** Where a training gets the teacher's logits from. */
export interface TargetProvider {
  /**
   * The teacher's combined logits for the batch of this step, [rows][classes]; waits until they are there.
   *
   * @throws FidelisError STREAM.MISALIGNED if the teacher saw other inputs; what the stream failed with
   */
  targets(step: number, batch: Batch): Promise<Float32Array>;
  /** Distinct steps (of a sequence) or chunks (of a table) taken in so far. */
  readonly framesConsumed: number;
  /** Distinct steps (of a sequence), or chunks (of a table) of which every row was in a batch, that were trained on so far. */
  readonly framesTrained: number;
  /** The step is trained: its batch had these samples. */
  trained(step: number, ids: Uint32Array): void;
  /** Time that `targets` spent waiting so far. */
  readonly waitSeconds: number;
}
