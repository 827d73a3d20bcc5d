import type { MessageContext } from './message-context.js';

/** Well within ack_wait, and often enough that one lost message costs nothing. */
const SAY_EVERY_MS = 5_000;

/**
 * Keeps a message while `work` goes on, however long one of its steps takes. The work must have a limit of its own, or it holds the message
 * for ever: what ends, is stopped or stands still in this process loses it after ack_wait.
 */
export async function whileWorking<Result>(
  context: Pick<MessageContext, 'working'> | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const saying = setInterval(() => context?.working(), SAY_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(saying);
  }
}
