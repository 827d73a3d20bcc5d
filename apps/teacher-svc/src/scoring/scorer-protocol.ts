import type {
  ArchitectureSpec,
  Codec,
  DatasetRef,
  ProducerFingerprint,
  Split,
  ViewSpec,
} from '@fidelis/contracts';

export interface StreamTask {
  readonly type: 'score-stream';
  readonly key: string;
  readonly view: ViewSpec;
  readonly codec: Codec;
  readonly parts: number;
  readonly partRows: number;
  readonly fromStep: number;
  /** Without this one. */
  readonly toStep: number;
}

export interface SplitTask {
  readonly type: 'score-split';
  readonly split: Split;
}

/** What teacher-svc tells its scoring child: who the teacher is, then one task after the other. */
export type ToScorer =
  | {
      readonly type: 'start';
      readonly dataset: DatasetRef;
      readonly architecture: ArchitectureSpec;
      readonly classes: number;
      /** Each safetensors; a single model is its own only member. */
      readonly members: readonly Uint8Array[];
      readonly backend: 'auto' | 'native' | 'wasm';
      readonly threads: number;
      /** No graphs: one operation after the other. */
      readonly eager: boolean;
      /** Directory of graphs. */
      readonly graphs: string;
    }
  | StreamTask
  | SplitTask;

export type FromScorer =
  | { readonly type: 'started'; readonly producer: ProducerFingerprint; readonly attempts: readonly string[] }
  /** A function runs without a graph, and why. */
  | { readonly type: 'eager'; readonly name: string; readonly reason: string }
  | {
      readonly type: 'step';
      readonly key: string;
      readonly step: number;
      readonly rows: number;
      /** Encoded frames, one for each part. */
      readonly messages: readonly Uint8Array[];
      /** Of the forward pass alone. */
      readonly seconds: number;
    }
  /** f32 [rows][members][classes]; also sent by a stream that covers its split from its first step. */
  | {
      readonly type: 'split-scored';
      readonly split: Split;
      readonly rows: number;
      readonly values: Float32Array;
    }
  | { readonly type: 'task-done'; readonly task: StreamTask | SplitTask };
