import type {
  ErrorWire,
  EvaluationRequest,
  Execution,
  ProducerFingerprint,
  TrainJob,
} from '@fidelis/contracts';

export interface SentFrame {
  /** As it is on the bus. */
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970, of the broker's clock. */
  readonly storedAtMs: number;
}

/** What the worker tells its training child. */
export type ToTrainer =
  | {
      readonly type: 'start';
      readonly job: TrainJob;
      readonly backend: 'auto' | 'native' | 'wasm';
      readonly threads: number;
      /** No graphs: one operation after the other. */
      readonly eager: boolean;
      /** Directory of graphs. */
      readonly graphs: string;
      /** Whether a training may go on where another backend, version or number of threads left off. */
      readonly allowProducerChange: boolean;
      /** The last checkpoint's bytes; null: from the beginning. */
      readonly checkpoint: Uint8Array | null;
      /** The teacher's weights, for a student that starts from them and has no checkpoint yet. */
      readonly teacherWeights: Uint8Array | null;
    }
  /** In the order of the stream. */
  | { readonly type: 'frames'; readonly frames: readonly SentFrame[] }
  /** The frames cannot be had: the run fails with this. */
  | { readonly type: 'stream-failed'; readonly error: ErrorWire };

/** What the training child tells its worker; each message also says that it lives. What it failed with is thrown by the iteration. */
export type FromTrainer =
  | {
      readonly type: 'started';
      readonly producer: ProducerFingerprint;
      readonly fromStep: number;
      readonly attempts: readonly string[];
    }
  /** A function runs without a graph, and why. */
  | { readonly type: 'eager'; readonly name: string; readonly reason: string }
  | TrainerProgress
  | { readonly type: 'checkpoint'; readonly step: number; readonly bytes: Uint8Array }
  | {
      readonly type: 'predictions';
      readonly request: EvaluationRequest;
      readonly frames: readonly Uint8Array[];
    }
  | {
      readonly type: 'completed';
      readonly weights: Uint8Array;
      readonly steps: number;
      readonly finalLoss: number;
      readonly seconds: number;
      readonly waitSeconds: number;
      readonly imagesPerSecond: number;
      readonly framesConsumed: number;
      readonly framesTrained: number;
      /** All that its loss asks for. */
      readonly framesNeeded: number;
      readonly producer: ProducerFingerprint;
      /** How the steps ran. */
      readonly execution: Execution;
    };

export interface TrainerProgress {
  readonly type: 'progress';
  /** Steps done so far. */
  readonly step: number;
  readonly steps: number;
  readonly epoch: number;
  readonly loss: number | null;
  /** L2, before clipping. */
  readonly gradientNorm: number | null;
  readonly learningRate: number | null;
  readonly imagesPerSecond: number | null;
  readonly waitSeconds: number;
  readonly framesConsumed: number;
  readonly framesTrained: number;
  /** Seconds, of each live frame trained on since the report before. */
  readonly frameAges: readonly number[];
}
