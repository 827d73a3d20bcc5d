import type {
  ArchitectureSpec,
  Codec,
  DatasetRef,
  ErrorWire,
  ProducerFingerprint,
  Split,
  ViewSpec,
} from '@fidelis/contracts';
import type { CodecErrorSums } from '@fidelis/distillation';

/** A few steps of a stream. */
export interface PieceTask {
  readonly type: 'score-piece';
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

/** A teacher that is a model, or several. */
export interface ModelTeacher {
  readonly kind: 'models';
  readonly architecture: ArchitectureSpec;
  /** Each safetensors; a single model is its own only member. */
  readonly members: readonly { readonly digest: string; readonly weights: Uint8Array }[];
}

/** A teacher of which only the answers are known. */
export interface TableTeacher {
  readonly kind: 'table';
  readonly members: number;
  /** Each a `.npy` file: float32 [rows of the split][members][classes]. */
  readonly tables: readonly { readonly split: Split; readonly digest: string; readonly file: Uint8Array }[];
}

/** A teacher of which one stored stream is known. */
export interface ArchiveTeacher {
  readonly kind: 'archive';
  /** Of the archive's files, for as long as the process lives. */
  readonly directory: string;
  /** What computed the logits; null if unknown. */
  readonly producer: ProducerFingerprint | null;
}

export interface StartMessage {
  readonly type: 'start';
  readonly teacherId: string;
  readonly dataset: DatasetRef;
  readonly classes: number;
  readonly teacher: ModelTeacher | TableTeacher | ArchiveTeacher;
  readonly backend: 'auto' | 'native' | 'wasm';
  readonly threads: number;
  /** No graphs: one operation after the other. */
  readonly eager: boolean;
  /** Directory of graphs. */
  readonly graphs: string;
}

/** What teacher-svc tells its scoring child: who the teacher is, then one task after the other. */
export type ToScorer =
  | StartMessage
  | PieceTask
  | SplitTask
  /** Nothing more of this stream for now: what is kept for it can go. */
  | { readonly type: 'forget-stream'; readonly key: string };

export interface StepMessage {
  readonly type: 'step';
  readonly key: string;
  readonly step: number;
  readonly rows: number;
  /** Encoded frames, one for each part. */
  readonly messages: readonly Uint8Array[];
  /** Of the forward pass alone. */
  readonly seconds: number;
  /** Rows that the canary scored again. */
  readonly canaryRows: number;
  /** What the codec did to its rows. */
  readonly codecError: CodecErrorSums;
}

export interface SplitMessage {
  readonly type: 'split-scored';
  readonly split: Split;
  readonly rows: number;
  readonly values: Float32Array;
}

export type FromScorer =
  | { readonly type: 'started'; readonly producer: ProducerFingerprint; readonly attempts: readonly string[] }
  /** A function runs without a graph, and why. */
  | { readonly type: 'eager'; readonly name: string; readonly reason: string }
  | StepMessage
  /** f32 [rows][members][classes]; also sent by a stream that covers its split and is scored from its first step to its last. */
  | SplitMessage
  /** How far a split is: so many of its rows are scored. */
  | { readonly type: 'split-rows'; readonly split: Split; readonly rows: number }
  /** A view cannot be made here: that of one stream, the others go on. */
  | { readonly type: 'stream-failed'; readonly key: string; readonly error: ErrorWire }
  | { readonly type: 'task-done'; readonly task: PieceTask | SplitTask };
