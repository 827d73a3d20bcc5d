import type { Split } from '@fidelis/contracts';

/** Samples to be scored, in this form. */
export interface SampleRows {
  readonly split: Split;
  /** [rows]: in the view's split. */
  readonly ids: Uint32Array;
  /** [rows][…input shape], as the network sees them. */
  readonly inputs: Float32Array;
  readonly rows: number;
}

/** Where a teacher's logits come from. The members are kept apart: whoever reads them combines as many as it wants. */
export interface LogitSource {
  readonly members: number;
  /** @returns [rows][members][classes], f32 */
  logits(samples: SampleRows): Float32Array;
}
