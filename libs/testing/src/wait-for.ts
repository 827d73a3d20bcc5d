import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** For the error: what was waited for. */
  readonly what: string;
  /** @default 10 000 */
  readonly deadlineMs?: number;
  /** @default 20 */
  readonly everyMs?: number;
}

/**
 * Waits until `condition` gives something other than false, undefined or null, and returns it. A condition that throws is not met yet.
 * @throws Error naming `what` and the last error after the deadline
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, deadlineMs = 10_000, everyMs = 20 }: WaitOptions,
): Promise<Exclude<T, false | undefined | null>> {
  const deadline = Date.now() + deadlineMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined && value !== null)
        return value as Exclude<T, false | undefined | null>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`, { cause });
    await delay(everyMs);
  }
}
