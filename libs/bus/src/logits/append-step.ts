import { logitStreamName, logitSubject } from '@fidelis/contracts';

import type { NatsConnection } from '@nats-io/transport-node';
import { streamClient, streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { throughOutages } from '../connection/patience.js';

/** `behind`: the log ended elsewhere than the publisher thought, and nothing was stored. */
export type AppendOutcome = 'stored' | 'behind';

interface Append {
  readonly key: string;
  readonly step: number;
  readonly messages: readonly Uint8Array[];
  readonly signal: AbortSignal | undefined;
}

/** What became of the publish of one part: stored (perhaps by an attempt whose answer was lost), or where the log ends instead. */
type PartOutcome =
  | { readonly stored: true; readonly lastSequence: number }
  | { readonly stored: false; readonly lastSequence: number };

export async function appendStep(
  connection: NatsConnection,
  { key, step, messages, signal }: Append,
): Promise<AppendOutcome> {
  const begin = step * messages.length;
  const end = begin + messages.length;
  let storedAny = false;
  // Where the log must end for the next part to follow.
  let last = begin;
  while (last < end) {
    const message = messages[last - begin];
    if (message === undefined) return 'behind';
    const outcome = await publishPart(connection, key, message, last, signal);
    storedAny ||= outcome.stored;
    if (!outcome.stored && (outcome.lastSequence <= begin || outcome.lastSequence > end)) {
      return storedAny ? 'stored' : 'behind';
    }
    last = outcome.lastSequence;
  }
  return storedAny ? 'stored' : 'behind';
}

async function publishPart(
  connection: NatsConnection,
  key: string,
  message: Uint8Array,
  expectedLast: number,
  signal: AbortSignal | undefined,
): Promise<PartOutcome> {
  const js = streamClient(connection);
  const stream = logitStreamName(key);
  return throughOutages<PartOutcome>(
    async (earlierAttempts) => {
      try {
        const ack = await js.publish(logitSubject(key), message, {
          expect: { streamName: stream, lastSequence: expectedLast },
        });
        return { stored: true, lastSequence: ack.seq };
      } catch (error) {
        if (!isJetStreamError(error, JS_ERROR.wrongLastSequence)) {
          await rethrowMissingStream(connection, stream, error);
        }
        const manager = await streamManager(connection);
        const lastSequence = (await manager.streams.info(stream)).state.last_seq;
        // After a lost answer one cannot know who stored this part; it is there, and its bytes are the same.
        const ours = earlierAttempts > 0 && lastSequence > expectedLast;
        return ours ? { stored: true, lastSequence: expectedLast + 1 } : { stored: false, lastSequence };
      }
    },
    { what: `append to the logit stream ${key}`, signal },
  );
}

/** A publish to a stream that was removed is answered by nobody, as if NATS were away: only asking for it tells. */
async function rethrowMissingStream(
  connection: NatsConnection,
  stream: string,
  error: unknown,
): Promise<never> {
  const manager = await streamManager(connection);
  await manager.streams.info(stream);
  throw error;
}
