import { FidelisError, type Split } from '@fidelis/contracts';
import type { InputShape, SplitData } from '../dataset.js';
import type { DatasetText } from '../store/dataset-store.js';

export const IMPORT_KINDS = [
  'image-folder',
  'npz',
  'idx',
  'fashion-mnist',
  'cifar10',
  'cifar100',
  'sentence-polarity',
  'fidelis',
] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

export interface ImportProgress {
  readonly label: string;
  readonly done: number;
  /** 0: not known yet. */
  readonly total: number;
  /** What is counted, in the plural. */
  readonly unit: string;
}

export interface ImportOptions {
  /** Images of other sizes are brought to this one; without it they are refused. */
  readonly resize?: { readonly height: number; readonly width: number };
  /** Of images in files. @default what the first image has */
  readonly channels?: 1 | 3;
  /** Members of a `.npz`. */
  readonly arrays?: {
    readonly trainInputs: string;
    readonly trainLabels: string;
    readonly testInputs: string;
    readonly testLabels: string;
  };
  readonly text?: {
    /** Words that come less often in the training texts are left out. */
    readonly minFrequency?: number;
    /** Tokens of a text; what is longer is cut. */
    readonly maxLength?: number;
    /** Part of the texts of each class that is for testing. */
    readonly testFraction?: number;
    readonly seed?: number;
  };
  readonly onProgress?: (progress: ImportProgress) => void;
  readonly signal?: AbortSignal;
}

/** What an importer makes of what it was given. */
export interface ImportedContent {
  readonly classNames: readonly string[];
  readonly inputShape: InputShape;
  readonly splits: Readonly<Record<Split, SplitData>>;
  readonly text: DatasetText;
}

/** Something is not as it was promised: the bytes are at fault, and `file` is where. */
export function corrupt(file: string, problem: string, cause?: unknown): FidelisError {
  return new FidelisError('DATASET.CORRUPT', `${file} ${problem}`, { details: { file }, cause });
}

/** What was asked for cannot be: the person has to ask for something else. */
export function refused(problem: string, details: Readonly<Record<string, unknown>> = {}): FidelisError {
  return new FidelisError('REQUEST.INVALID', problem, { details });
}

/** Labels as small as they can be stored. */
export function compactLabels(labels: readonly number[], classes: number): Uint8Array | Int32Array {
  return classes <= 256 ? Uint8Array.from(labels) : Int32Array.from(labels);
}

/** Lets timers and signals through in a long loop. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
