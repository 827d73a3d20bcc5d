import { z } from 'zod';
import { defineRpc } from './contract.js';
import { streamKeySchema } from './stream-contracts.js';
import { digestSchema } from './view-spec.js';

/**
 * Whatever teachers and streams refer to in the artifact store. Garbage is what nobody names: so a service that does not answer stops the
 * collection.
 */
export const referencesRpc = defineRpc(
  'teacher.references',
  z.strictObject({}),
  z.strictObject({ artifacts: z.array(digestSchema) }),
);

/** An hour: what is younger may be on its way into a record. */
export const GARBAGE_GRACE_SECONDS = 3_600;

export const garbageSchema = z.strictObject({
  /** Streams that no run reads: their frames can be made again. */
  streams: z.array(z.strictObject({ key: streamKeySchema, bytes: z.number().min(0) })),
  /** Checkpoints, weights, tables that nothing refers to. */
  artifacts: z.array(z.strictObject({ digest: digestSchema, bytes: z.number().min(0) })),
  /** Positions of trainings that ended well, or are of no run and no teacher. */
  positions: z.array(z.string()),
  bytes: z.number().min(0),
  /** False: this is what would be removed. */
  removed: z.boolean(),
});
export type Garbage = z.infer<typeof garbageSchema>;

export const garbageRpc = {
  /** Collected by student control, which asks the others. What is younger than `olderThanSeconds` stays: its record may be on the way. */
  collect: defineRpc(
    'student.collectGarbage',
    z.strictObject({ dryRun: z.boolean(), olderThanSeconds: z.int().min(0) }),
    garbageSchema,
    60_000,
  ),
} as const;
