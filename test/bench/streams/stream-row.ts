import type { Spread } from '../step/step-table.js';

export type Mode = 'no-teacher' | 'in-process' | 'live' | 'replay';

/** What one measurement tells. */
export interface Measurement {
  readonly model: string;
  readonly mode: Mode;
  readonly students: number;
  /** Of all students together. */
  readonly imagesPerSecond: number;
  /** Processor time of all of the students' processes. */
  readonly studentSecondsPerImage: number;
  /** Of the teacher's forward passes. */
  readonly teacherSeconds: number;
  /** Processor time of all of teacher-svc over the run, which goes on looking after its streams while students train. */
  readonly teacherProcessorSeconds: number | null;
  readonly brokerSeconds: number;
  /** Share of the students' time. */
  readonly studentWaitRatio: number;
  /** In the log, with what the broker adds; null: nothing is sent. */
  readonly bytesPerSample: number | null;
  readonly frameAgeSeconds: { readonly p50: number; readonly p99: number } | null;
  readonly peakMemoryBytes: {
    readonly teacher: number | null;
    readonly student: number;
    readonly broker: number | null;
  };
  readonly steps: number;
  /** Of each student's weights; the same for all modes of a stream. */
  readonly weightsDigests: readonly string[];
  /** Names the view that was trained on. */
  readonly view: string;
}

/** The measurements of one mode: medians, and the spread of the rates. */
export interface StreamRow extends Omit<Measurement, 'weightsDigests' | 'view'> {
  readonly repeats: number;
  readonly imagesPerSecondRange: readonly [least: number, most: number];
  /** Beside the median of no-teacher, of the same model and number of students. */
  readonly relative: number | null;
  /** Of the ratios by turns; null where it was not measured in turns with it. */
  readonly relativeSpread: Spread | null;
}
