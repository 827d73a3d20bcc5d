import type { JetStreamManager } from '@nats-io/jetstream';
import {
  createInbox,
  NoRespondersError,
  TimeoutError,
  type Msg,
  type NatsConnection,
} from '@nats-io/transport-node';
import { inboxPrefix } from '../pull/pull-request.js';

/** The last message of a subject. */
export interface LastMessage {
  readonly subject: string;
  readonly sequence: number;
  /** Of a key-value bucket: the value was deleted, and this is what says so. */
  readonly isMarker: boolean;
  readonly data: Uint8Array;
}

/** The server refuses to look for more at a time than 1,024. */
const SUBJECTS_AT_ONCE = 512;
/** Longest silence of the server. */
const SILENCE_MS = 2_000;
/** End of the batch; there are no such messages. */
const ENDS = [204, 404];
const NOBODY = 503;

/**
 * The last message of each subject that there is under the filter, without a consumer, which would stay on the server for as long as it is not known
 * that nobody reads it any more. The stream must allow direct gets.
 *
 * @throws whatever the server answers; TimeoutError
 */
export async function lastMessages(
  connection: NatsConnection,
  manager: JetStreamManager,
  stream: string,
  filter: string,
): Promise<readonly LastMessage[]> {
  const { state } = await manager.streams.info(stream, { subjects_filter: filter });
  const subjects = Object.keys(state.subjects ?? {});
  const found: LastMessage[] = [];
  for (let at = 0; at < subjects.length; at += SUBJECTS_AT_ONCE) {
    found.push(...(await lastOfEach(connection, stream, subjects.slice(at, at + SUBJECTS_AT_ONCE))));
  }
  return found;
}

/** One request for all of them. The client library's own keeps the subscription to its answers for ever. */
function lastOfEach(
  connection: NatsConnection,
  stream: string,
  subjects: readonly string[],
): Promise<readonly LastMessage[]> {
  const found: LastMessage[] = [];
  const inbox = createInbox(inboxPrefix(connection));
  const subject = `$JS.API.DIRECT.GET.${stream}`;
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      clearTimeout(silence);
      subscription.unsubscribe();
      if (error === undefined) resolve(found);
      else reject(error);
    };
    const silence = setTimeout(() => end(new TimeoutError()), SILENCE_MS);
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null) return end(error);
        silence.refresh();
        const code = message.headers?.code ?? 0;
        if (ENDS.includes(code)) end();
        else if (code === NOBODY) end(new NoRespondersError(subject));
        else if (code !== 0) end(new Error(`${code} ${message.headers?.description ?? ''}`));
        else found.push(lastMessage(message));
      },
    });
    const body = JSON.stringify({ multi_last: subjects, batch: subjects.length });
    try {
      connection.publish(subject, body, { reply: inbox });
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function lastMessage({ headers, data }: Msg): LastMessage {
  return {
    subject: headers?.last('Nats-Subject') ?? '',
    sequence: Number(headers?.last('Nats-Sequence')),
    isMarker: headers?.has('KV-Operation') ?? false,
    data,
  };
}
