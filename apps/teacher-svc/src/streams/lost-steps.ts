import type { StoredSteps } from '@fidelis/bus';

export interface ExpectedSteps {
  /** As the database knows it, read before the log was looked at. */
  readonly publishedSteps: number;
  /** Asked for. */
  readonly steps: number;
  /** First step that a run on the stream may still read. */
  readonly need: number;
}

/**
 * - `renew`: a step that a run may still read is gone: the log begins anew, at the first of them.
 * - `extend`: nothing is missing before the end of the log, which is nearer than it was (or should be): it is produced on from there.
 */
export type LossRemedy = { readonly kind: 'renew' | 'extend'; readonly fromStep: number };

/**
 * What is to be done about steps that are gone: removed to make room, deleted, or lost with a broker's disk.
 *
 * @param stored undefined where there is no log
 * @returns undefined if nothing that is needed is missing
 */
export function remedyOf(
  stored: StoredSteps | undefined,
  { publishedSteps, steps, need }: ExpectedSteps,
): LossRemedy | undefined {
  if (stored === undefined) return { kind: 'renew', fromStep: Math.min(need, steps) };
  const { firstStep, endStep, hasGap } = stored;
  const gone = firstStep > need || endStep < Math.min(need, publishedSteps) || hasGap;
  if (gone) return { kind: 'renew', fromStep: need };
  return endStep < publishedSteps ? { kind: 'extend', fromStep: endStep } : undefined;
}
