import { z } from 'zod';
import { defineEvent, defineRpc } from './contract.js';
import { errorWireSchema } from './errors.js';
import { experimentSpecSchema } from './experiment-spec.js';
import { executionSchema, producerFingerprintSchema } from './training-contracts.js';
import { timestampSchema } from './timestamp.js';
import { datasetRefSchema, digestSchema } from './view-spec.js';

/**
 * preparing (teacher, stream) → queued → training → evaluating → completed; any of them → failed | cancelled.
 */
export const runStates = [
  'preparing',
  'queued',
  'training',
  'evaluating',
  'completed',
  'failed',
  'cancelled',
] as const;
export type RunState = (typeof runStates)[number];
export const ENDED_RUN_STATES: readonly RunState[] = ['completed', 'failed', 'cancelled'];

export const stageNames = ['teacher', 'stream', 'student', 'evaluation'] as const;
export type StageName = (typeof stageNames)[number];

export const runStageSchema = z.strictObject({
  name: z.enum(stageNames),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  /** teacher and student: steps; stream: rows; evaluation: sets. */
  done: z.number().min(0),
  total: z.number().min(0),
  /** True if nothing had to be done: the teacher or the stream existed. */
  reused: z.boolean(),
  startedAt: timestampSchema.nullable(),
  seconds: z.number().min(0).nullable(),
});
export type RunStage = z.infer<typeof runStageSchema>;

export const runRecordSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  state: z.enum(runStates),
  spec: experimentSpecSchema,
  stages: z.array(runStageSchema),
  progress: z.strictObject({
    step: z.int().min(0),
    steps: z.int().min(0),
    epoch: z.int().min(0),
    epochs: z.int().min(0),
    loss: z.number().nullable(),
    learningRate: z.number().nullable(),
    imagesPerSecond: z.number().nullable(),
    /** Seconds that the student waited for the teacher. */
    waitSeconds: z.number().min(0),
  }),
  lineage: z.strictObject({
    dataset: datasetRefSchema,
    teacherId: z.string().nullable(),
    teacherDigest: digestSchema.nullable(),
    streamKey: z.string().nullable(),
    weightsDigest: digestSchema.nullable(),
    producer: producerFingerprintSchema.nullable(),
    /** Who scored the frames that it was trained on; null before its end, and in records of before. */
    teacherProducer: producerFingerprintSchema.nullable().default(null),
    /** How the student's steps ran; null before their end, and in records of before. */
    execution: executionSchema.nullable().default(null),
  }),
  /**
   * Distinct steps (or chunks of a table) of the stream: stored for this run, taken in by its student, trained on. In a finished run's lineage the three
   * are the same; what was delivered or read again is not in them.
   */
  frames: z.strictObject({
    published: z.int().min(0),
    consumed: z.int().min(0),
    trained: z.int().min(0).default(0),
    /** Whether the account closes; null before the end of the training. */
    closed: z.boolean().nullable().default(null),
  }),
  attempts: z.int().min(0),
  error: errorWireSchema.nullable(),
  correlationId: z.string(),
  createdAt: timestampSchema,
  startedAt: timestampSchema.nullable(),
  endedAt: timestampSchema.nullable(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

export const runRpc = {
  start: defineRpc(
    'student.start',
    z.strictObject({ spec: experimentSpecSchema, correlationId: z.string() }),
    runRecordSchema,
  ),
  cancel: defineRpc('student.cancel', z.strictObject({ id: z.string() }), runRecordSchema),
  /** Removes the run, its evaluations and its position. @throws RUN.NOT_FOUND, RUN.NOT_ENDED */
  remove: defineRpc('student.remove', z.strictObject({ id: z.string() }), z.strictObject({ id: z.string() })),
  get: defineRpc('student.get', z.strictObject({ id: z.string() }), runRecordSchema),
  /** Newest first. `after` is a run's id; `hasMore` says that older ones exist. */
  list: defineRpc(
    'student.list',
    z.strictObject({
      state: z.enum(runStates).optional(),
      name: z.string().optional(),
      teacherId: z.string().optional(),
      first: z.int().min(1).max(200),
      after: z.string().optional(),
    }),
    z.strictObject({ runs: z.array(runRecordSchema), hasMore: z.boolean(), total: z.int().min(0) }),
  ),
} as const;

export const runEvents = {
  /** The whole record, after any change that people can see. id: the run's. */
  changed: defineEvent('run-changed', runRecordSchema),
} as const;
