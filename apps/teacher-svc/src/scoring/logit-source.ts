import type { Split } from '@fidelis/contracts';

/** Samples to be scored, in this form. */
export interface SampleRows {
  readonly split: Split;
  /** [rows]: in the view's split. */
  readonly ids: Uint32Array;
  /** [rows][…input shape], as the network sees them. */
  readonly inputs: Float32Array;
  readonly rows: number;
  /** Of a stream; absent where a split is scored as it is. */
  readonly place?: { readonly key: string; readonly step: number };
}

/** Where a teacher's logits come from. The members are kept apart: whoever reads them combines as many as it wants. */
export interface LogitSource {
  readonly members: number;
  /** @returns [rows][members][classes], f32 */
  logits(samples: SampleRows): Float32Array | Promise<Float32Array>;
}

/** A source that computes them, or looks them up in memory. */
export interface ImmediateLogits extends LogitSource {
  logits(samples: SampleRows): Float32Array;
}
