import type { ArchitectureSpec } from '@fidelis/contracts';
import type { TensorNameMap } from '@fidelis/models';
import type { BackendPreference } from '@fidelis/compute';

/** What the compute process is told. */
export type ToPredictor =
  | {
      readonly type: 'start';
      readonly architecture: ArchitectureSpec;
      readonly classes: number;
      /** Of one input: [height, width, channels], or [length] of a text. */
      readonly dimensions: readonly number[];
      readonly weightsFile: string;
      readonly map?: TensorNameMap;
      readonly backend: BackendPreference;
      /** Where graphs are written; without it every operation runs on its own. */
      readonly graphs?: string;
    }
  | {
      readonly type: 'rows';
      /** [rows, ...dimensions] */
      readonly inputs: Float32Array;
      readonly rows: number;
    }
  | { readonly type: 'end' };

export type FromPredictor =
  | {
      readonly type: 'ready';
      readonly parameters: number;
      readonly backend: string;
      /** Rows that each message but the last must have. */
      readonly batchRows: number;
    }
  | {
      readonly type: 'logits';
      readonly values: Float32Array;
      /** Why the forward pass did not run as a graph, where it was to. */
      readonly eagerReason?: string;
    };
