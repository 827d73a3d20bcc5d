import { z } from 'zod';
import { defineEvent, defineRpc, SUBJECT_ROOT, subjectToken } from './contract.js';
import { errorWireSchema } from './errors.js';
import { DETAIL_LIMITS, detailSectionSchema, evaluationDetailSchema } from './evaluation-details.js';
import { evaluationRecordSchema, evaluationSets, type EvaluationSet } from './evaluation-record.js';
import { datasetRefSchema } from './view-spec.js';

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

/** Evaluations of one answer: some 3 KB each, so that they fit a message. */
export const EVALUATIONS_PER_ANSWER = 200;

export const metricsRpc = {
  /** By run, step, id. Where `next` is not null there are more: ask again for the same with it as `after`. */
  evaluations: defineRpc(
    'metrics.evaluations',
    z.strictObject({
      runIds: z.array(z.string()).min(1).max(200),
      /** Only those of finished students. */
      final: z.boolean().optional(),
      after: z.string().optional(),
    }),
    z.strictObject({
      evaluations: z.array(evaluationRecordSchema),
      next: z.string().nullable().default(null),
    }),
  ),
  /** Forgets all evaluations of the run. Idempotent. */
  removeRun: defineRpc('metrics.removeRun', z.strictObject({ runId: z.string() }), z.strictObject({})),
  /** Throws EVALUATION.NOT_FOUND. */
  evaluation: defineRpc('metrics.evaluation', z.strictObject({ id: z.string() }), evaluationRecordSchema),
  /**
   * What was asked for, in its order, as far as one message takes it: the rest is to be asked for again. At least one section is
   * answered. Null for an evaluation that has no details: it is not there, or was made before they were kept.
   */
  evaluationDetails: defineRpc(
    'metrics.evaluationDetails',
    z.strictObject({ sections: z.array(detailSectionSchema).min(1).max(DETAIL_LIMITS.sections) }),
    z.strictObject({ details: z.array(evaluationDetailSchema.nullable()).min(1) }),
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
