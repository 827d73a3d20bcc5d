import { z } from 'zod';
import { defineRpc } from './contract.js';
import { timestampSchema } from './timestamp.js';

export const placementSchema = z.enum(['cpu', 'gpu']);
export type Placement = z.infer<typeof placementSchema>;

/** A training on the queue: it waits for a worker, or a worker has it. */
export const jobRecordSchema = z.strictObject({
  /** Id of the run, or of the teacher that is trained. */
  id: z.string(),
  /** unknown: what is on the queue under this id is no training. */
  kind: z.enum(['teacher', 'student', 'unknown']),
  placement: placementSchema,
  state: z.enum(['waiting', 'running']),
  /** Of the worker that wrote its position last; null before the first. */
  worker: z.string().nullable(),
  /** Deliveries since the last checkpoint. */
  attempts: z.int().min(0),
  trainedStep: z.int().min(-1).nullable(),
  checkpointStep: z.int().min(-1).nullable(),
  queuedAt: timestampSchema,
  /** What is wrong with it; null: nothing is. */
  problem: z.string().nullable().default(null),
});
export type JobRecord = z.infer<typeof jobRecordSchema>;

/** A message that could not be handled, kept as it came. */
export const deadLetterSchema = z.strictObject({
  /** Its sequence in the dead-letter stream. */
  id: z.string(),
  kind: z.enum(['rpc', 'event', 'job', 'predictions']),
  /** Where it was published. */
  subject: z.string(),
  /** Whose it could not be. */
  durable: z.string(),
  code: z.string(),
  reason: z.string(),
  deliveries: z.int().min(0),
  bytes: z.int().min(0),
  /** Run, teacher, stream, … : the last token of its subject, or of a job the run's id. */
  about: z.string(),
  at: timestampSchema,
});
export type DeadLetter = z.infer<typeof deadLetterSchema>;

const letterId = z
  .string()
  .regex(/^[0-9]{1,15}$/, 'the id of a dead letter is a number: see "fidelis jobs --dead"');

export const jobRpc = {
  list: defineRpc(
    'student.jobs',
    z.strictObject({}),
    z.strictObject({
      jobs: z.array(jobRecordSchema),
      /** Workers' consumers by placement: how many jobs wait and how many are in hand. */
      queues: z.array(
        z.strictObject({ placement: placementSchema, waiting: z.int().min(0), running: z.int().min(0) }),
      ),
    }),
  ),
  deadLetters: defineRpc(
    'student.deadLetters',
    z.strictObject({ first: z.int().min(1).max(200).default(50), after: letterId.optional() }),
    z.strictObject({ letters: z.array(deadLetterSchema), hasMore: z.boolean(), total: z.int().min(0) }),
  ),
  /** Publishes it again where it came from, and removes the letter. A training's attempts are counted anew. @throws DEADLETTER.NOT_FOUND */
  redrive: defineRpc('student.redriveDeadLetter', z.strictObject({ id: letterId }), deadLetterSchema),
  /** @throws DEADLETTER.NOT_FOUND */
  discard: defineRpc('student.discardDeadLetter', z.strictObject({ id: letterId }), deadLetterSchema),
} as const;
