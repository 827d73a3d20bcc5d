import { setTimeout as sleep } from 'node:timers/promises';
import { FidelisError } from '@fidelis/contracts';
import { busError, isOutage } from './bus-error.js';

export interface PatienceOptions {
  /** For the message of the error, after "cannot". */
  readonly what: string;
  /**
   * How long an outage is sat out.
   * @default without limit
   */
  readonly patienceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Repeats what failed only because NATS was away. `operation` must be safe to repeat: a lost request may have taken effect.
 * Its parameter counts the attempts before it, so that it can tell a repetition.
 *
 * @throws FidelisError BUS.UNAVAILABLE after `patienceMs`, on abort, or when the connection is closed for good;
 *   the mapped error for everything else
 */
export async function throughOutages<Result>(
  operation: (earlierAttempts: number) => Promise<Result>,
  { what, patienceMs = Infinity, signal }: PatienceOptions,
): Promise<Result> {
  const deadline = performance.now() + patienceMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await operation(attempt);
    } catch (error) {
      if (FidelisError.is(error) || !isOutage(error) || performance.now() >= deadline)
        throw busError(error, what);
    }
    await pause(Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS), what, signal);
  }
}

async function pause(milliseconds: number, what: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new FidelisError('BUS.UNAVAILABLE', `gave up trying to ${what}: it was called off`, { cause });
  }
}
