import { ENDED_RUN_STATES, FidelisError, runStates } from '@fidelis/contracts';
import { GET_RUN, RUN_PROGRESS, type RunView } from './documents.js';
import type { GatewayClient } from './gateway-client.js';

export interface FollowOptions {
  readonly onUpdate: (run: RunView) => void;
  readonly signal: AbortSignal;
  /** The run is asked for as well, in case an event was lost. @default 2000 */
  readonly pollMs?: number;
  /** How long the gateway may be away before this gives up. @default 60000 */
  readonly patienceMs?: number;
}

/**
 * Follows a run until it has ended, through restarts of the gateway, and returns its last state.
 *
 * @throws FidelisError GATEWAY.UNAVAILABLE if the gateway is away for too long; RUN.NOT_FOUND
 * @throws the signal's reason once it is aborted
 */
export async function followRun(
  client: GatewayClient,
  start: RunView,
  { onUpdate, signal, pollMs = 2_000, patienceMs = 60_000 }: FollowOptions,
): Promise<RunView> {
  let current = start;
  onUpdate(current);
  if (hasEnded(current)) return current;

  const { promise, resolve, reject } = settleable<RunView>();
  const offer = (run: RunView): void => {
    if (isEarlier(run, current)) return;
    current = run;
    onUpdate(run);
    if (hasEnded(run)) resolve(run);
  };
  const unsubscribe = client.subscribe(
    RUN_PROGRESS,
    { id: start.id },
    {
      next: ({ runProgress }) => offer(runProgress),
      // Whether the run itself is well is what the poll finds out.
      error: (error) => (error.retryable ? undefined : reject(error)),
    },
  );
  let lastAnswerMs = performance.now();
  let asking = false;
  const poll = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    try {
      offer((await client.request(GET_RUN, { id: start.id }, signal)).run);
      lastAnswerMs = performance.now();
    } catch (error) {
      const failure = FidelisError.from(error);
      if (!failure.retryable || performance.now() - lastAnswerMs > patienceMs) reject(failure);
    } finally {
      asking = false;
    }
  };
  const timer = setInterval(() => void poll(), pollMs);
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', onAbort);
    unsubscribe();
  }
}

export function hasEnded(run: Pick<RunView, 'state'>): boolean {
  return ENDED_RUN_STATES.includes(run.state);
}

/** An event can come after an answer that is newer than it: a bar must not jump back. */
function isEarlier(candidate: RunView, current: RunView): boolean {
  const difference =
    candidate.attempts - current.attempts ||
    runStates.indexOf(candidate.state) - runStates.indexOf(current.state) ||
    candidate.progress.step - current.progress.step;
  return difference < 0;
}

function settleable<Value>(): {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
} {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
