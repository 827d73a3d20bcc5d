import { z } from 'zod';

/** Moments on the wire are ISO 8601 in UTC. */
export const timestampSchema = z.iso.datetime();
