import { z } from 'zod';
import { architectureSchema } from './architecture-spec.js';
import { defineEvent, defineRpc } from './contract.js';
import { errorWireSchema } from './errors.js';
import { ensembleMembersSchema, teacherTrainingSchema } from './experiment-spec.js';
import { timestampSchema } from './timestamp.js';
import { CODECS } from './logit-frame.js';
import { executionSchema, producerFingerprintSchema } from './training-contracts.js';
import { datasetRefSchema, digestSchema, splitSchema, viewSpecSchema } from './view-spec.js';

export const teacherStates = ['training', 'ready', 'failed'] as const;

/** Everything that decides a trained teacher's weights; its canonical JSON names the teacher. Of an ensemble the seed is the first member's. */
export const trainedTeacherSpecSchema = z.strictObject({
  architecture: architectureSchema,
  dataset: datasetRefSchema,
  seed: z.int().min(0).max(0xffffffff),
  members: ensembleMembersSchema.optional(),
  train: teacherTrainingSchema,
});
export type TrainedTeacherSpec = z.infer<typeof trainedTeacherSpecSchema>;

/** A teacher that is known by what it says of each sample, whatever computed it. Its canonical JSON names the teacher, too. */
export const givenTeacherSpecSchema = z.strictObject({
  kind: z.literal('table'),
  dataset: datasetRefSchema,
  classes: z.int().positive(),
  members: z.int().positive(),
  /** Artifact: float32 `.npy`, [rows of the train split][members][classes], in the order of the ids. */
  logits: digestSchema,
  /** The same for the test split; null where nothing is known of it. */
  testLogits: digestSchema.nullable(),
});
export type GivenTeacherSpec = z.infer<typeof givenTeacherSpecSchema>;

/** A file of an archive, and the artifact that holds it. */
export const archiveFileSchema = z.strictObject({
  file: z.string().regex(/^[a-z0-9.-]+$/),
  digest: digestSchema,
});
export type ArchiveFile = z.infer<typeof archiveFileSchema>;

/** A teacher whose weights are elsewhere, and of which one stored stream is here. */
export const importedTeacherSpecSchema = z.strictObject({
  kind: z.literal('archive'),
  dataset: datasetRefSchema,
  classes: z.int().positive(),
  members: z.int().positive(),
  /** Where the logits were computed: its id there, and the digest of its weights, by which its streams are known everywhere. */
  original: z.strictObject({ teacherId: z.string(), teacherDigest: digestSchema }),
  stream: z.strictObject({
    key: z.string(),
    view: viewSpecSchema,
    codec: z.enum(CODECS),
    firstStep: z.int().min(0),
    steps: z.int().positive(),
  }),
  /** What computed the logits; null if unknown. */
  producer: producerFingerprintSchema.nullable(),
  /** Splits of which its logits are known without augmentation: what a student is compared with. */
  splits: z.array(splitSchema),
  /** Manifest, shards and predictions. */
  files: z.array(archiveFileSchema).min(2),
});
export type ImportedTeacherSpec = z.infer<typeof importedTeacherSpecSchema>;

export const teacherSpecSchema = z.union([
  trainedTeacherSpecSchema,
  givenTeacherSpecSchema,
  importedTeacherSpecSchema,
]);
export type TeacherSpec = z.infer<typeof teacherSpecSchema>;

/** Known by its answers, not by its weights. */
export function isGiven(spec: TeacherSpec): spec is GivenTeacherSpec | ImportedTeacherSpec {
  return 'kind' in spec;
}

export const stageProgressSchema = z.strictObject({ done: z.number(), total: z.number() });
export type StageProgress = z.infer<typeof stageProgressSchema>;

/** One model of a teacher: what a student can start from. */
export const memberModelSchema = z.strictObject({
  /** Id of the teacher that it is by itself. */
  teacherId: z.string(),
  seed: z.int().min(0).max(0xffffffff),
  /** Artifact: safetensors; null while training. */
  weights: digestSchema.nullable(),
});
export type MemberModel = z.infer<typeof memberModelSchema>;

export const teacherRecordSchema = z.strictObject({
  /** `t-` and 12 hexadecimal characters: sha-256 over the canonical JSON of the spec. */
  id: z.string(),
  state: z.enum(teacherStates),
  spec: teacherSpecSchema,
  classes: z.int().positive(),
  members: z.int().positive(),
  /** Of a single model the digest of its weights, of an ensemble that of its members' digests, of a table that of its logits; null while training. */
  weightsDigest: digestSchema.nullable(),
  /** In order; a single model is its own only member. None of a table of logits. */
  memberModels: z.array(memberModelSchema),
  /** How the steps of its training ran; null while it trains, of an ensemble (its members have theirs), and in records of before. */
  execution: executionSchema.nullable().default(null),
  /** In steps. */
  progress: stageProgressSchema,
  error: errorWireSchema.nullable(),
  createdAt: timestampSchema,
  readyAt: timestampSchema.nullable(),
});
export type TeacherRecord = z.infer<typeof teacherRecordSchema>;

export const teacherRpc = {
  /** The teacher of this spec or id; trained now if it does not exist. Idempotent. */
  ensure: defineRpc(
    'teacher.ensure',
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('spec'), spec: trainedTeacherSpecSchema, correlationId: z.string() }),
      z.strictObject({ kind: z.literal('id'), id: z.string(), correlationId: z.string() }),
    ]),
    teacherRecordSchema,
  ),
  /**
   * The teacher of these tables, each the artifact of a `.npy` file: [rows] or [rows][members] of [classes], float16, 32 or 64. Ready at once.
   * Idempotent. @throws ARTIFACT.NOT_FOUND, SPEC.INVALID naming the field, DATASET.MISMATCH
   */
  provide: defineRpc(
    'teacher.provide',
    z.strictObject({
      dataset: datasetRefSchema,
      logits: digestSchema,
      testLogits: digestSchema.nullable(),
      correlationId: z.string(),
    }),
    teacherRecordSchema,
    60_000,
  ),
  /**
   * The teacher of an archive whose files are artifacts: its manifest and all that this lists. Ready at once. Idempotent.
   * @throws ARTIFACT.NOT_FOUND, ARCHIVE.INVALID, ARCHIVE.UNSUPPORTED, ARCHIVE.MISMATCH
   */
  import: defineRpc(
    'teacher.importStream',
    z.strictObject({ files: z.array(archiveFileSchema).min(2).max(10_000), correlationId: z.string() }),
    teacherRecordSchema,
    300_000,
  ),
  get: defineRpc('teacher.get', z.strictObject({ id: z.string() }), teacherRecordSchema),
  list: defineRpc(
    'teacher.list',
    z.strictObject({}),
    z.strictObject({ teachers: z.array(teacherRecordSchema) }),
  ),
  /** The teacher's f32 logits on a whole split, in canonical id order, as a blob in the artifact store. */
  predictions: defineRpc(
    'teacher.predictions',
    z.strictObject({ teacherId: z.string(), split: z.enum(['train', 'test']) }),
    z.discriminatedUnion('state', [
      z.strictObject({ state: z.literal('pending') }),
      z.strictObject({
        state: z.literal('ready'),
        /** Blob: [rows][members][classes] float32, little-endian. */
        artifact: digestSchema,
        teacherDigest: digestSchema,
        rows: z.int().positive(),
        members: z.int().positive(),
        classes: z.int().positive(),
      }),
    ]),
  ),
} as const;

export const teacherEvents = {
  /** id: the teacher's. */
  changed: defineEvent('teacher-changed', teacherRecordSchema),
} as const;
