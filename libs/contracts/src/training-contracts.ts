import { z } from 'zod';
import { defineEvent, defineJob } from './contract.js';
import { errorWireSchema } from './errors.js';
import { architectureSchema } from './architecture-spec.js';
import { augmentationListSchema } from './augmentation-spec.js';
import { lossSchema } from './loss-spec.js';
import { optimizerSchema, scheduleSchema } from './optimizer-spec.js';
import { subsetSchema } from './subset-spec.js';
import { CODECS } from './logit-frame.js';
import { timestampSchema } from './timestamp.js';
import { datasetRefSchema, digestSchema, viewSpecSchema } from './view-spec.js';

const jobBase = {
  /** Id of the run, or of the teacher that is trained. */
  runId: z.string(),
  correlationId: z.string(),
  dataset: datasetRefSchema,
  classes: z.int().positive(),
  architecture: architectureSchema,
  /** Keys initialisation and order. */
  seed: z.int().min(0).max(0xffffffff),
  epochs: z.int().positive(),
  batchSize: z.int().positive(),
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
};

export const teacherJobSchema = z.strictObject({
  kind: z.literal('teacher'),
  ...jobBase,
  subset: subsetSchema.optional(),
  augmentation: augmentationListSchema.optional(),
});
export type TeacherJob = z.infer<typeof teacherJobSchema>;

/** Where a student starts that does not start at random: `initialisationSchema` with the teacher's side looked up. */
export const studentStartSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('teacher-initial'),
    /** The teacher's: it must be the student's. */
    architecture: architectureSchema,
    /** That the teacher's initial weights came from. */
    seed: z.int().min(0).max(0xffffffff),
  }),
  z.strictObject({
    kind: z.literal('interpolate'),
    /** The teacher's: it must be the student's. */
    architecture: architectureSchema,
    /** Artifact: the teacher's trained weights. */
    weights: digestSchema,
    lambda: z.number().min(0).max(1),
    rescaleLearningRate: z.boolean(),
    refreshStatistics: z.boolean(),
  }),
]);
export type StudentStart = z.infer<typeof studentStartSchema>;

export const studentJobSchema = z.strictObject({
  kind: z.literal('student'),
  ...jobBase,
  view: viewSpecSchema,
  /** Random, from the seed, where absent. */
  start: studentStartSchema.optional(),
  loss: lossSchema,
  stream: z.strictObject({
    key: z.string(),
    name: z.string(),
    codec: z.enum(CODECS),
    members: z.int().positive(),
    classes: z.int().positive(),
    steps: z.int().positive(),
    parts: z.int().positive(),
    partRows: z.int().positive(),
    /** That its teacher scores, as teacher-svc tells it. It must be the job's own; absent in jobs of before. */
    view: viewSpecSchema.optional(),
  }),
  teacherId: z.string(),
  teacherDigest: digestSchema,
  evaluation: z.strictObject({
    sets: z.array(z.enum(['test', 'train-clean'])),
    everyEpochs: z.int().min(0),
    atSteps: z.array(z.int().positive()).optional(),
  }),
});
export type StudentJob = z.infer<typeof studentJobSchema>;

/** Subject: jobs.train.<cpu or gpu>.<runId>. */
export const trainJobSchema = z.discriminatedUnion('kind', [teacherJobSchema, studentJobSchema]);
export type TrainJob = z.infer<typeof trainJobSchema>;
export const trainJob = defineJob('train', trainJobSchema);

/** What decides the bits of a result, beside spec and seed. */
export const producerFingerprintSchema = z.strictObject({
  /** tensorflow (native), wasm */
  backend: z.string(),
  backendVersion: z.string(),
  threads: z.int().positive(),
  platform: z.string(),
});
export type ProducerFingerprint = z.infer<typeof producerFingerprintSchema>;

/** How the steps of a training ran. */
export const executionSchema = z.strictObject({
  /** As graphs of the backend, or one operation after the other. */
  mode: z.enum(['graph', 'eager']),
  /** Why not as graphs; null where they were. */
  reason: z.string().nullable(),
});
export type Execution = z.infer<typeof executionSchema>;

export const trainingProgressSchema = z.strictObject({
  runId: z.string(),
  /** Fencing token of the attempt: the job's delivery. Progress of an older one is ignored. */
  token: z.int().min(0),
  step: z.int().min(0),
  steps: z.int().positive(),
  epoch: z.int().min(0),
  epochs: z.int().positive(),
  loss: z.number().nullable(),
  learningRate: z.number().nullable(),
  imagesPerSecond: z.number().nullable(),
  /** Time spent waiting for the teacher so far. */
  waitSeconds: z.number().min(0),
  framesConsumed: z.int().min(0),
  /** Of them, distinct steps (or chunks) that were trained on; absent from workers of before. */
  framesTrained: z.int().min(0).default(0),
  at: timestampSchema,
});
export type TrainingProgress = z.infer<typeof trainingProgressSchema>;

export const trainingResultSchema = z.discriminatedUnion('outcome', [
  z.strictObject({
    outcome: z.literal('completed'),
    /** Artifact: safetensors. */
    weights: digestSchema,
    steps: z.int().positive(),
    finalLoss: z.number(),
    seconds: z.number(),
    waitSeconds: z.number(),
    imagesPerSecond: z.number(),
    /** Distinct steps (or chunks) of the stream that were consumed; 0 for a teacher. */
    framesConsumed: z.int().min(0),
    /** Of them, distinct steps (or chunks) that were trained on; absent in results of before. */
    framesTrained: z.int().min(0).default(0),
    /** All that its loss asks for: 0 where it learns from labels alone. Absent in results of before, whose account is not kept. */
    framesNeeded: z.int().min(0).optional(),
    producer: producerFingerprintSchema,
    /** Absent in results of before. */
    execution: executionSchema.optional(),
  }),
  z.strictObject({ outcome: z.literal('failed'), error: errorWireSchema }),
  z.strictObject({ outcome: z.literal('cancelled') }),
]);
export type TrainingResult = z.infer<typeof trainingResultSchema>;

export const trainingEvents = {
  started: defineEvent(
    'training-started',
    z.strictObject({
      runId: z.string(),
      token: z.int(),
      worker: z.string(),
      attempt: z.int(),
      at: timestampSchema,
    }),
  ),
  progress: defineEvent('training-progress', trainingProgressSchema),
  finished: defineEvent(
    'training-finished',
    z.strictObject({
      runId: z.string(),
      kind: z.enum(['teacher', 'student']),
      token: z.int(),
      result: trainingResultSchema,
      at: timestampSchema,
    }),
  ),
} as const;

/** Entry of the KV bucket `fidelis-runs` under the run's id; written by compare-and-set only. */
export const runPositionSchema = z.strictObject({
  /** Stream sequence and delivery count of the job make it grow: the owner is whoever holds the greatest. */
  token: z.int().min(0),
  worker: z.string(),
  /** Deliveries since the last checkpoint progress. */
  attempts: z.int().min(0),
  trainedStep: z.int().min(-1),
  checkpointStep: z.int().min(-1),
  /** Artifact of the last checkpoint. */
  checkpoint: digestSchema.nullable(),
  /** Set once, by the owner: what the run came to. */
  result: trainingResultSchema.nullable(),
});
export type RunPosition = z.infer<typeof runPositionSchema>;
