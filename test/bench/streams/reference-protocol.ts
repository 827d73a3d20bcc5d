import {
  architectureSchema,
  lossSchema,
  optimizerSchema,
  scheduleSchema,
  sequenceViewSchema,
} from '@fidelis/contracts';
import { z } from 'zod';

/** A student without Fidelis around it: what it is to train, as JSON on its command line. */
export const referenceRequestSchema = z.object({
  mode: z.enum(['no-teacher', 'in-process']),
  natsUrl: z.string(),
  streamKey: z.string(),
  parts: z.int(),
  steps: z.int(),
  codec: z.enum(['f32', 'f16']),
  view: sequenceViewSchema,
  architecture: architectureSchema,
  optimizer: optimizerSchema,
  schedule: scheduleSchema,
  loss: lossSchema,
  seed: z.int(),
  epochs: z.int(),
  /** Artifact, of a teacher with one member. */
  teacherWeights: z.string(),
  warmSteps: z.int(),
});
export type ReferenceRequest = z.infer<typeof referenceRequestSchema>;

/** Its only line on stdout. */
export const referenceAnswerSchema = z.object({
  imagesPerSecond: z.number(),
  processorSecondsPerImage: z.number(),
  /** In forward passes of the teacher. */
  teacherSeconds: z.number(),
  peakBytes: z.number(),
  weightsDigest: z.string(),
});
export type ReferenceAnswer = z.infer<typeof referenceAnswerSchema>;
