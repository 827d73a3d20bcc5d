import {
  deadLetterSchema,
  garbageSchema,
  jobRpc,
  streamDetailsSchema,
  streamRecordSchema,
  streamUsageSchema,
} from '@fidelis/contracts';
import { z } from 'zod';
import { failureSchema, type GatewayDocument } from './documents.js';

/** Streams, jobs and what is left over: what the gateway is asked, and what its answers must look like. */

const { stream: _, ...now } = streamDetailsSchema.shape;
export const streamViewSchema = streamRecordSchema.extend({ ...now, error: failureSchema.nullable() });
/** A stream as the gateway tells it. */
export type StreamView = z.output<typeof streamViewSchema>;

const STREAM_FIELDS = `
  fragment StreamFields on LogitStream {
    key stream teacherId teacherDigest view codec members classes steps parts partRows state publishedSteps publishedBytes
    incarnation waitsFor codecError { rows meanKl maxKl argmaxFlips } teacherSeconds firstStep storedBytes createdAt lastUsedAt
    producers { instance fingerprint { backend backendVersion threads platform } steps at }
    runs { runId steps trainedStep checkpointStep }
    error { code message retryable details }
  }`;

export const LIST_STREAMS = {
  text: `query ListStreams { streams { ...StreamFields } streamUsage { storedBytes quotaBytes } } ${STREAM_FIELDS}`,
  data: z.strictObject({ streams: z.array(streamViewSchema), streamUsage: streamUsageSchema }),
} as const satisfies GatewayDocument;

export const GET_STREAM = {
  text: `query GetStream($key: ID!) { stream(key: $key) { ...StreamFields } } ${STREAM_FIELDS}`,
  data: z.strictObject({ stream: streamViewSchema }),
} as const satisfies GatewayDocument;

export const REMOVE_STREAM = {
  text: 'mutation RemoveStream($key: ID!) { removeStream(key: $key) { key bytes } }',
  data: z.strictObject({ removeStream: z.strictObject({ key: z.string(), bytes: z.number() }) }),
} as const satisfies GatewayDocument;

export const TEACHER_PREDICTIONS = {
  text: 'query TeacherPredictions($teacherId: ID!, $split: Split!) { teacherPredictions(teacherId: $teacherId, split: $split) { artifact } }',
  data: z.strictObject({ teacherPredictions: z.strictObject({ artifact: z.string().nullable() }) }),
} as const satisfies GatewayDocument;

const importedTeacherSchema = z.strictObject({ id: z.string(), weightsDigest: z.string().nullable() });
export type ImportedTeacher = z.output<typeof importedTeacherSchema>;

export const IMPORT_STREAM = {
  text: 'mutation ImportStream($files: [ArchiveFileInput!]!) { importStream(files: $files) { id weightsDigest } }',
  data: z.strictObject({ importStream: importedTeacherSchema }),
} as const satisfies GatewayDocument;

export const LIST_JOBS = {
  text: `query ListJobs { jobs {
    jobs { id kind placement state worker attempts trainedStep checkpointStep queuedAt problem }
    queues { placement waiting running }
  } }`,
  data: z.strictObject({ jobs: jobRpc.list.response }),
} as const satisfies GatewayDocument;

const LETTER_FIELDS = 'id kind subject durable code reason deliveries bytes about at';

export const LIST_DEAD_LETTERS = {
  text: `query ListDeadLetters($first: Int!, $after: ID) {
    deadLetters(first: $first, after: $after) { letters { ${LETTER_FIELDS} } hasMore total }
  }`,
  data: z.strictObject({ deadLetters: jobRpc.deadLetters.response }),
} as const satisfies GatewayDocument;

export const REDRIVE_DEAD_LETTER = {
  text: `mutation RedriveDeadLetter($id: ID!) { redriveDeadLetter(id: $id) { ${LETTER_FIELDS} } }`,
  data: z.strictObject({ redriveDeadLetter: deadLetterSchema }),
} as const satisfies GatewayDocument;

export const DISCARD_DEAD_LETTER = {
  text: `mutation DiscardDeadLetter($id: ID!) { discardDeadLetter(id: $id) { ${LETTER_FIELDS} } }`,
  data: z.strictObject({ discardDeadLetter: deadLetterSchema }),
} as const satisfies GatewayDocument;

export const REMOVE_RUN = {
  text: 'mutation RemoveRun($id: ID!) { removeRun(id: $id) }',
  data: z.strictObject({ removeRun: z.string() }),
} as const satisfies GatewayDocument;

export const COLLECT_GARBAGE = {
  text: `mutation CollectGarbage($dryRun: Boolean!, $olderThanSeconds: Int!) {
    collectGarbage(dryRun: $dryRun, olderThanSeconds: $olderThanSeconds) {
      streams { key bytes } artifacts { digest bytes } positions bytes removed
    }
  }`,
  data: z.strictObject({ collectGarbage: garbageSchema }),
} as const satisfies GatewayDocument;
