import type {
  Comparison,
  EvaluatedStudent,
  GeneralisationFigures,
  Intervals,
} from './evaluation-document.js';

/** One bar of a reliability diagram and of the histogram below it. */
export interface DiagramBin {
  readonly lower: number;
  /** Equal to `lower` in the bin that a convention has for a confidence of exactly 1. */
  readonly upper: number;
  readonly count: number;
  /** Share of right predictions; null in an empty bin and without labels. */
  readonly accuracy: number | null;
  /** Mean confidence; null in an empty bin. */
  readonly confidence: number | null;
}

export interface ClassPair {
  /** Class that the teacher predicts. */
  readonly teacher: number;
  /** Class that the student predicts. */
  readonly student: number;
  /** Samples. */
  readonly count: number;
}

/** Figures of a model: those of the document, and the ECE at its best temperature. */
export interface ModelFigures extends GeneralisationFigures {
  readonly eceAfter?: number | undefined;
}

export interface ClassFigures {
  readonly label: string;
  /** Samples for which the teacher predicts the class. */
  readonly teacherPredicts: number;
  /** Share of those for which the student predicts it too; null if there are none. */
  readonly agreement: number | null;
  /** Samples whose label is the class; absent without labels, as is what follows. */
  readonly samples?: number;
  /** Share of those that are predicted right; null if there are none. */
  readonly teacherAccuracy?: number | null;
  readonly studentAccuracy?: number | null;
}

/** What the report shows of a student, beyond its figures in the document. */
export interface StudentView extends Omit<EvaluatedStudent, 'student'> {
  readonly student: ModelFigures;
  /** Absent without labels. */
  readonly diagram?: readonly DiagramBin[];
  /** The student's confidence against how often the teacher gives the same answer: needs no labels. */
  readonly calibration: readonly DiagramBin[];
  /** Filled cells of the matrix of teacher's prediction by student's, with or without the diagonal. */
  readonly disagreement: readonly ClassPair[];
  readonly perClass: readonly ClassFigures[];
}

export interface ReportModel {
  readonly n: number;
  readonly classes: number;
  readonly kind: string;
  readonly bins: number;
  readonly convention: string;
  readonly labelled: boolean;
  readonly teacher: {
    readonly name: string;
    readonly figures: ModelFigures;
    readonly intervals: Intervals;
    /** Absent without labels. */
    readonly diagram?: readonly DiagramBin[];
  };
  readonly students: readonly StudentView[];
  readonly comparisons: readonly Comparison[];
  /** How the intervals were made, in words; absent if there are none. */
  readonly method?: string;
}
