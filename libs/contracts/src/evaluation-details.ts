import { z } from 'zod';

/**
 * What of an evaluation has one value per bin, class or cell. It can be far larger than a message (the matrix of 1,000 classes has a
 * million cells), so it is asked for in sections, each of them bounded.
 */
export const DETAIL_LIMITS = {
  /** Sections asked for at once. */
  sections: 200,
  /** Cells of one section. */
  cells: 5_000,
  /** Classes of one section. */
  classes: 1_000,
  /** Of the JSON of one answer; a message may have 1 MiB. One section alone is always below. */
  answerBytes: 600 * 1_024,
} as const;

const shareOrNull = z.number().nullable();
const count = z.int().min(0);

/** One bar of a reliability diagram. */
export const reliabilityBinSchema = z.strictObject({
  /** Edges are float32, as the reference implementations compare them. */
  lower: z.number(),
  upper: z.number(),
  count,
  /** Null in an empty bin. */
  accuracy: shareOrNull,
  /** Null in an empty bin. */
  confidence: shareOrNull,
});
export type ReliabilityBinRecord = z.output<typeof reliabilityBinSchema>;

/** Shares of nothing are null. */
export const classFiguresSchema = z.strictObject({
  class: count,
  teacherPredicted: count,
  studentPredicted: count,
  agreement: shareOrNull,
  labels: z.strictObject({
    count,
    agreement: shareOrNull,
    teacherAccuracy: shareOrNull,
    studentAccuracy: shareOrNull,
  }),
});
export type ClassFiguresRecord = z.output<typeof classFiguresSchema>;

export const disagreementCellSchema = z.strictObject({
  /** The class that the teacher predicts. */
  teacher: count,
  /** The class that the student predicts. */
  student: count,
  count: z.int().positive(),
});
export type DisagreementCell = z.output<typeof disagreementCellSchema>;

const evaluationId = z.string();

export const detailSectionSchema = z.discriminatedUnion('section', [
  z.strictObject({ section: z.literal('reliability'), evaluationId }),
  z.strictObject({
    section: z.literal('perClass'),
    evaluationId,
    from: count,
    first: z.int().min(1).max(DETAIL_LIMITS.classes),
  }),
  z.strictObject({
    section: z.literal('disagreement'),
    evaluationId,
    first: z.int().min(1).max(DETAIL_LIMITS.cells),
    /** With the cells where both predict the same class. */
    includeAgreement: z.boolean(),
  }),
]);
export type DetailSection = z.output<typeof detailSectionSchema>;
export type DetailSectionName = DetailSection['section'];

const reliabilityDetailSchema = z.strictObject({
  section: z.literal('reliability'),
  teacher: z.array(reliabilityBinSchema),
  student: z.array(reliabilityBinSchema),
  fidelity: z.array(reliabilityBinSchema),
});
const perClassDetailSchema = z.strictObject({
  section: z.literal('perClass'),
  perClass: z.array(classFiguresSchema),
});
const disagreementDetailSchema = z.strictObject({
  section: z.literal('disagreement'),
  classes: z.int().positive(),
  /** Filled cells of the kind that was asked for. */
  total: count,
  /** Largest first; equal ones by teacher's, then student's class. */
  cells: z.array(disagreementCellSchema),
});

export const evaluationDetailSchema = z.discriminatedUnion('section', [
  reliabilityDetailSchema,
  perClassDetailSchema,
  disagreementDetailSchema,
]);
export type EvaluationDetail = z.output<typeof evaluationDetailSchema>;
export type DetailOf<Name extends DetailSectionName> = Extract<EvaluationDetail, { section: Name }>;
