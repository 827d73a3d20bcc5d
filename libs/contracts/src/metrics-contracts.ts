import { z } from 'zod';
import { defineEvent, defineRpc, SUBJECT_ROOT, subjectToken } from './contract.js';
import { errorWireSchema } from './errors.js';
import { timestampSchema } from './timestamp.js';
import { datasetRefSchema } from './view-spec.js';

export const evaluationSets = ['test', 'train-clean'] as const;
export type EvaluationSet = (typeof evaluationSets)[number];

/** The split behind a set: `train-clean` is the training split without augmentation, in eval mode. */
export const SET_SPLIT = { test: 'test', 'train-clean': 'train' } as const satisfies Record<
  EvaluationSet,
  'train' | 'test'
>;

/**
 * Says what a prediction frame belongs to, in the header `Fidelis-Evaluation` of each message. The frame itself has
 * `streamKey` = predictionKey(runId, set, step), codec f32, one member, rows in canonical id order, and the digest of the inputs
 * of that part.
 */
export const evaluationRequestSchema = z.strictObject({
  runId: z.string(),
  correlationId: z.string(),
  teacherId: z.string(),
  dataset: datasetRefSchema,
  set: z.enum(evaluationSets),
  step: z.int().min(0),
  epoch: z.int().min(0),
  /** True for the finished student. */
  final: z.boolean(),
  rows: z.int().positive(),
  parts: z.int().positive(),
  partRows: z.int().positive(),
});
export type EvaluationRequest = z.infer<typeof evaluationRequestSchema>;

export const EVALUATION_HEADER = 'Fidelis-Evaluation';

export function predictionSubject(runId: string, set: EvaluationSet, step: number): string {
  return `${SUBJECT_ROOT}.predictions.${subjectToken(runId)}.${set}.${step}`;
}

const generalisationSchema = z.strictObject({ accuracy: z.number(), nll: z.number(), ece: z.number() });

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
  /** Of the ECE. */
  bins: z.int().positive(),
  convention: z.enum(['torchmetrics', 'gnosis']),
  fidelity: z.strictObject({ top1Agreement: z.number(), predictiveKl: z.number() }),
  teacher: generalisationSchema,
  student: generalisationSchema,
  createdAt: timestampSchema,
});
export type EvaluationRecord = z.infer<typeof evaluationRecordSchema>;

export const metricsRpc = {
  /** By run, step, set. */
  evaluations: defineRpc(
    'metrics.evaluations',
    z.strictObject({ runIds: z.array(z.string()).min(1).max(200) }),
    z.strictObject({ evaluations: z.array(evaluationRecordSchema) }),
  ),
} as const;

export const metricsEvents = {
  /** id: the run's. */
  evaluated: defineEvent('evaluation-completed', evaluationRecordSchema),
  /** Predictions that can't be scored. id: the run's. */
  failed: defineEvent(
    'evaluation-failed',
    z.strictObject({
      runId: z.string(),
      set: z.enum(evaluationSets),
      step: z.int().min(0),
      error: errorWireSchema,
    }),
  ),
} as const;
