import {
  DEAD_LETTER_HEADERS,
  FidelisError,
  STREAMS,
  SUBJECT_ROOT,
  type DeadLetter,
} from '@fidelis/contracts';
import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { MESSAGE_KINDS, type MessageKind } from '../connection/bus-observer.js';
import { BusPublisher } from '../connection/bus-publisher.js';
import { streamManager } from '../connection/jetstream-clients.js';
import { throughOutages } from '../connection/patience.js';

const STREAM = STREAMS.deadLetters.name;
/** A person waits for the answer. */
const REDRIVE_PATIENCE_MS = 10_000;
const DEAD_PREFIX = `${SUBJECT_ROOT}.dead.`;

export interface DeadLetterPage {
  /** Newest first. */
  readonly letters: readonly DeadLetter[];
  readonly hasMore: boolean;
  readonly total: number;
}

/** What could not be handled and was set aside: to be looked at, sent again, or thrown away. */
export class DeadLetterQueue {
  private readonly publisher: BusPublisher;

  constructor(private readonly connection: NatsConnection) {
    this.publisher = new BusPublisher(connection);
  }

  /** @param after id of the last letter of the page before */
  async list({
    first,
    after,
  }: {
    readonly first: number;
    readonly after?: string | undefined;
  }): Promise<DeadLetterPage> {
    return this.administer('list the dead letters', async (manager) => {
      const { state } = await manager.streams.info(STREAM);
      const letters: DeadLetter[] = [];
      let sequence = after === undefined ? state.last_seq : Number(after) - 1;
      // An empty stream begins at 0, where no message is.
      const oldest = Math.max(1, state.first_seq);
      for (; sequence >= oldest && letters.length <= first; sequence--) {
        const message = await find(manager, sequence);
        if (message !== undefined) letters.push(letterOf(message));
      }
      return { letters: letters.slice(0, first), hasMore: letters.length > first, total: state.messages };
    });
  }

  /** @throws FidelisError DEADLETTER.NOT_FOUND */
  async get(id: string): Promise<DeadLetter> {
    return letterOf(await this.message(id));
  }

  /**
   * Publishes the message again where it came from, as it came, and takes the letter away. Done twice by a lost answer, it is
   * published once: whoever handles it does so idempotently anyway.
   *
   * @throws FidelisError DEADLETTER.NOT_FOUND; BUS.UNAVAILABLE where it cannot be published, the letter is kept then
   */
  async redrive(id: string): Promise<DeadLetter> {
    const message = await this.message(id);
    const letter = letterOf(message);
    try {
      await this.publisher.store(letter.subject, message.data, {
        headers: originalHeaders(message.header),
        messageId: `redriven.${id}`,
        patienceMs: REDRIVE_PATIENCE_MS,
        // The queue keeps one message per job: where control has put it there again, it is not needed twice.
        ...(letter.kind === 'job' ? { expect: { lastSubjectSequence: 0 } } : {}),
      });
    } catch (error) {
      const cause = FidelisError.is(error) ? error.cause : error;
      if (!isJetStreamError(cause, JS_ERROR.wrongLastSequence)) throw error;
    }
    await this.remove(id);
    return letter;
  }

  /** Nothing happens where it is not there. */
  async remove(id: string): Promise<void> {
    await this.administer(`remove the dead letter ${id}`, async (manager) => {
      try {
        await manager.streams.deleteMessage(STREAM, Number(id));
      } catch (error) {
        if (!isJetStreamError(error, JS_ERROR.noMessageFound, JS_ERROR.sequenceNotFound)) throw error;
      }
    });
  }

  private async message(id: string): Promise<StoredMsg> {
    const sequence = Number(id);
    const found = await this.administer(`read the dead letter ${id}`, (manager) =>
      Number.isSafeInteger(sequence) && sequence > 0 ? find(manager, sequence) : Promise.resolve(undefined),
    );
    if (found !== undefined) return found;
    throw new FidelisError(
      'DEADLETTER.NOT_FOUND',
      `there is no dead letter ${id}: "fidelis jobs --dead" lists them`,
      {
        details: { id },
      },
    );
  }

  private administer<Result>(
    what: string,
    work: (manager: JetStreamManager) => Promise<Result>,
  ): Promise<Result> {
    return throughOutages(async () => work(await streamManager(this.connection)), { what });
  }
}

async function find(manager: JetStreamManager, sequence: number): Promise<StoredMsg | undefined> {
  try {
    return (await manager.streams.getMessage(STREAM, { seq: sequence })) ?? undefined;
  } catch (error) {
    if (isJetStreamError(error, JS_ERROR.noMessageFound)) return undefined;
    throw error;
  }
}

/** Its subject is `fidelis.v1.dead.<kind>.<durable>`. */
function letterOf({ seq, subject: place, header, data, time }: StoredMsg): DeadLetter {
  const [kind = '', durable = ''] = place.slice(DEAD_PREFIX.length).split('.');
  const subject = header.get(DEAD_LETTER_HEADERS.subject);
  return {
    id: String(seq),
    kind: isKind(kind) ? kind : 'event',
    subject,
    durable,
    code: header.get(DEAD_LETTER_HEADERS.code),
    reason: header.get(DEAD_LETTER_HEADERS.reason),
    deliveries: Number(header.get(DEAD_LETTER_HEADERS.deliveries)),
    bytes: data.length,
    about: aboutOf(kind, subject),
    at: time.toISOString(),
  };
}

/** `predictions.<runId>.<set>.<step>`; of all others the last token. */
function aboutOf(kind: string, subject: string): string {
  const tokens = subject.slice(SUBJECT_ROOT.length + 1).split('.');
  return (kind === 'predictions' ? tokens[1] : tokens.at(-1)) ?? '';
}

/** Without those that tell why it is a letter, and without the server's own. */
function originalHeaders(letter: MsgHdrs): MsgHdrs {
  const ours = new Set<string>(Object.values(DEAD_LETTER_HEADERS));
  const original = headers();
  for (const [name, values] of letter) {
    if (ours.has(name) || name.toLowerCase().startsWith('nats-')) continue;
    for (const value of values) original.append(name, value);
  }
  return original;
}

function isKind(kind: string): kind is MessageKind {
  return MESSAGE_KINDS.some((known) => known === kind);
}
