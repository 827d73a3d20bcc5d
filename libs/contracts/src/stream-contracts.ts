import { z } from 'zod';
import { defineEvent, defineRpc } from './contract.js';
import { errorWireSchema } from './errors.js';
import { CODECS } from './logit-frame.js';
import { timestampSchema } from './timestamp.js';
import { producerFingerprintSchema } from './training-contracts.js';
import { digestSchema, viewSpecSchema } from './view-spec.js';

/**
 * opening → producing → complete | failed; complete → expired when its frames had to make room. One that is opened again goes back to
 * opening, and so does one of which a step that a run needs is gone.
 */
export const streamStates = ['opening', 'producing', 'complete', 'failed', 'expired'] as const;

export const streamKeySchema = z.string().regex(/^[0-9a-f]{16}$/, 'a stream key has 16 hexadecimal digits');

/** Who scored a part of a stream. */
export const streamProducerSchema = z.strictObject({
  /** Name of the replica of teacher-svc; of an imported stream the file's name. */
  instance: z.string(),
  fingerprint: producerFingerprintSchema,
  /** Steps that it stored. */
  steps: z.int().min(0),
  at: timestampSchema,
});
export type StreamProducer = z.infer<typeof streamProducerSchema>;

/** What rounding to the codec does to the teacher's answers, over the rows that were scored. */
export const codecErrorSchema = z.strictObject({
  rows: z.int().positive(),
  /** KL(f32 ‖ codec) in nats, of the members combined, at temperature 1. */
  meanKl: z.number().min(0),
  maxKl: z.number().min(0),
  /** Rows whose most probable class is another. */
  argmaxFlips: z.int().min(0),
});
export type CodecError = z.infer<typeof codecErrorSchema>;

/** Why a stream that is producing does not grow at the moment; null: it grows. */
export const streamWaits = ['pace', 'quota'] as const;

export const streamRecordSchema = z.strictObject({
  key: streamKeySchema,
  /** Name of the JetStream stream. */
  stream: z.string(),
  teacherId: z.string(),
  teacherDigest: digestSchema,
  view: viewSpecSchema,
  codec: z.enum(CODECS),
  members: z.int().positive(),
  classes: z.int().positive(),
  /** Steps (of a sequence) or chunks (of a table) asked for so far. */
  steps: z.int().positive(),
  parts: z.int().positive(),
  /** Rows of each part but the last of a step. */
  partRows: z.int().positive(),
  state: z.enum(streamStates),
  publishedSteps: z.int().min(0),
  publishedBytes: z.number().min(0),
  /** Incarnation: counts how often the stream was begun anew because steps of it were gone. */
  incarnation: z.int().min(0).default(0),
  waitsFor: z.enum(streamWaits).nullable().default(null),
  producers: z.array(streamProducerSchema).default([]),
  /** Of the teacher's forward passes: of the processor, all threads together; on a GPU of the clock. */
  teacherSeconds: z.number().min(0),
  /** Null before the first step, and of streams of before. */
  codecError: codecErrorSchema.nullable().default(null),
  error: errorWireSchema.nullable(),
});
export type StreamRecord = z.infer<typeof streamRecordSchema>;

/** A run that reads a stream, and where it is. */
export const streamRunSchema = z.strictObject({
  runId: z.string(),
  /** Steps that it reads. */
  steps: z.int().positive(),
  /** Of its training; null before its first report. */
  trainedStep: z.int().min(-1).nullable(),
  checkpointStep: z.int().min(-1).nullable(),
});
export type StreamRun = z.infer<typeof streamRunSchema>;

/** A stream, and what is known of it only at the moment of asking. */
export const streamDetailsSchema = z.strictObject({
  stream: streamRecordSchema,
  /** Of what is stored: steps below it were purged. */
  firstStep: z.int().min(0),
  storedBytes: z.number().min(0),
  runs: z.array(streamRunSchema),
  createdAt: timestampSchema,
  lastUsedAt: timestampSchema,
});
export type StreamDetails = z.infer<typeof streamDetailsSchema>;

/** Of all logit streams together. */
export const streamUsageSchema = z.strictObject({
  storedBytes: z.number().min(0),
  /** null: without limit. */
  quotaBytes: z.number().positive().nullable(),
});
export type StreamUsage = z.infer<typeof streamUsageSchema>;

export const streamRpc = {
  /** Attaches the run to the stream; opens it, or extends it to `steps`, or has steps that are gone produced again. Idempotent. */
  open: defineRpc(
    'teacher.openStream',
    z.strictObject({
      teacherId: z.string(),
      view: viewSpecSchema,
      codec: z.enum(CODECS),
      steps: z.int().positive(),
      /** The reader: what it has not trained on is kept for it until it is released. */
      runId: z.string(),
      correlationId: z.string(),
    }),
    streamRecordSchema,
  ),
  /** The run reads no more, of any stream. Idempotent; a run that is not known is no error. */
  release: defineRpc('teacher.releaseStreams', z.strictObject({ runId: z.string() }), z.strictObject({})),
  get: defineRpc('teacher.getStream', z.strictObject({ key: streamKeySchema }), streamDetailsSchema),
  /** Newest first. */
  list: defineRpc(
    'teacher.listStreams',
    z.strictObject({}),
    z.strictObject({ streams: z.array(streamDetailsSchema), usage: streamUsageSchema }),
  ),
  /** Removes the frames and the record. @throws STREAM.NOT_FOUND, STREAM.IN_USE */
  remove: defineRpc(
    'teacher.removeStream',
    z.strictObject({ key: streamKeySchema }),
    z.strictObject({ key: streamKeySchema, bytes: z.number() }),
  ),
} as const;

export const streamEvents = {
  /** id: the stream's key. */
  changed: defineEvent('stream-changed', streamRecordSchema),
} as const;
