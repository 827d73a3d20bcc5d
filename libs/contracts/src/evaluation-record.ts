import { z } from 'zod';
import { timestampSchema } from './timestamp.js';

export const evaluationSets = ['test', 'train-clean'] as const;
export type EvaluationSet = (typeof evaluationSets)[number];

const share = z.number();
const conventionSchema = z.enum(['torchmetrics', 'gnosis']);

/**
 * A figure that can be infinite: an NLL or a KL where a class that counts was given probability 0. JSON has no infinity, so it is a
 * word there. Null, as for every other figure: not measured, because the evaluation was made before the figure was.
 */
export const unboundedFigureSchema = z.union([z.number(), z.literal('Infinity')]).nullable();
export type UnboundedFigure = z.output<typeof unboundedFigureSchema>;

/** Full float64; only a figure that can't be finite changes. @throws RangeError for NaN and −∞, which no metric is */
export function unboundedFigure(value: number): NonNullable<UnboundedFigure> {
  if (Number.isFinite(value)) return value;
  if (value === Infinity) return 'Infinity';
  throw new RangeError(`${value} is not a figure`);
}

/** Null: has no value, as a share of nothing, or was not measured when the evaluation was made. */
const figure = z.number().nullable().default(null);
const unbounded = unboundedFigureSchema.default(null);

/** Definitions: docs/metrics.md. */
const binnedFigures = {
  mce: figure,
  rmsce: figure,
  rmsceDebiased: figure,
  eceDebiased: figure,
  nullEce: figure,
  classwiseEce: figure,
} as const;

const generalisationSchema = z.strictObject({
  accuracy: share,
  /** k is `fidelity.topK`. */
  top5Accuracy: figure,
  /** nats */
  nll: unboundedFigureSchema,
  /** Summed over the classes, 0…2. */
  brier: figure,
  /** Brier = reliability − resolution + uncertainty, but for what varies within bins. */
  murphy: z
    .strictObject({ reliability: z.number(), resolution: z.number(), uncertainty: z.number() })
    .nullable()
    .default(null),
  ece: share,
  ...binnedFigures,
  /** 10 and 15 bins in both conventions; empty where not measured. */
  eceVariants: z
    .array(z.strictObject({ bins: z.int().positive(), convention: conventionSchema, ece: share }))
    .default([]),
});

const fidelitySchema = z.strictObject({
  top1Agreement: share,
  /** k is `topK`. */
  top5Agreement: figure,
  topK: z.int().positive().nullable().default(null),
  /** nats, teacher first */
  predictiveKl: unboundedFigureSchema,
  /** nats, student first */
  reverseKl: unbounded,
  /** nats, 0…ln 2 */
  jensenShannon: figure,
  /** 0…1 */
  totalVariation: figure,
  cohenKappa: figure,
  agreementTeacherRight: figure,
  agreementTeacherWrong: figure,
  /** Of the student's top-1 confidence, with the teacher's class in the place of the label. */
  calibration: z
    .strictObject({ ece: figure, ...binnedFigures })
    .nullable()
    .default(null),
});

/**
 * The scalar figures of one (teacher, student, set, step). What a record lacks was not measured when it was made: reading fills it
 * with null, so that records of every age have one form.
 */
export const evaluationRecordSchema = z.strictObject({
  /** `<runId>.<set>.<step>` */
  id: z.string(),
  runId: z.string(),
  teacherId: z.string(),
  set: z.enum(evaluationSets),
  step: z.int().min(0),
  epoch: z.int().min(0),
  final: z.boolean(),
  n: z.int().positive(),
  classes: z.int().positive(),
  /** Of every figure over bins but `eceVariants`. */
  bins: z.int().positive(),
  convention: conventionSchema,
  fidelity: fidelitySchema,
  teacher: generalisationSchema,
  student: generalisationSchema,
  createdAt: timestampSchema,
});
export type EvaluationRecord = z.output<typeof evaluationRecordSchema>;
/** As it may be stored or sent. */
export type EvaluationRecordInput = z.input<typeof evaluationRecordSchema>;
