import {
  cancelKey,
  canonicalJson,
  FidelisError,
  parseStrict,
  parseTolerant,
  RUNS_BUCKET,
  runPositionSchema,
  subjectToken,
  type RunPosition,
} from '@fidelis/contracts';

import { Kvm, type KV, type KvEntry } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { streamClient, streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { decodeJson, encodeJson } from '../connection/json-wire.js';
import { throughOutages } from '../connection/patience.js';
import { lastMessages, type LastMessage } from './last-messages.js';
import { watchKey } from './key-watch.js';
import { PositionWatch, type PositionEntry } from './position-watch.js';

/** A position's key is the run's id; that of its cancellation has two tokens. */
const POSITION_KEYS = '*';
/** How a bucket lies in JetStream (https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-8.md). */
const BUCKET_STREAM = `KV_${RUNS_BUCKET}`;
const KEY_PREFIX = `$KV.${RUNS_BUCKET}.`;

export interface StoredPosition {
  readonly position: RunPosition;
  /** For the next update. */
  readonly revision: number;
}

/** KV bucket `fidelis-runs`: where each run stands, written by compare-and-set, and who was asked to stop. */
export class RunPositions {
  private bucket: Promise<KV> | undefined;

  constructor(private readonly connection: NatsConnection) {}

  async read(runId: string): Promise<StoredPosition | undefined> {
    return throughOutages(
      async () => {
        const entry = await (await this.open()).get(subjectToken(runId));
        if (entry === null || entry.operation !== 'PUT') return undefined;
        return {
          position: parseTolerant(runPositionSchema, decodeJson(entry.value)),
          revision: entry.revision,
        };
      },
      { what: `read the position of ${runId}` },
    );
  }

  /**
   * Writes the run's first position.
   * @returns its revision
   * @throws FidelisError RUN.LEASE_LOST where there is one already
   */
  async create(runId: string, position: RunPosition): Promise<number> {
    return this.write(runId, position, (bucket, data) => bucket.create(subjectToken(runId), data));
  }

  /**
   * @param revision of the position that was read or written last
   * @returns the new revision
   * @throws FidelisError RUN.LEASE_LOST where another wrote in between
   */
  async update(runId: string, position: RunPosition, revision: number): Promise<number> {
    return this.write(runId, position, (bucket, data) => bucket.update(subjectToken(runId), data, revision));
  }

  /** Where every run stands that has a position, by its id. */
  async list(): Promise<Map<string, RunPosition>> {
    return throughOutages(
      async () => {
        const positions = new Map<string, RunPosition>();
        for (const { subject, isMarker, data } of await this.lastOfAll()) {
          if (!isMarker) positions.set(keyOf(subject), parseTolerant(runPositionSchema, decodeJson(data)));
        }
        return positions;
      },
      { what: 'read the positions of the runs' },
    );
  }

  /**
   * Calls `onChange` with every position: first, before this returns, with those that there are; then with each that is written, also
   * over lost connections; and with undefined for one that was forgotten (within 5 seconds). States that
   * follow each other quickly may be told as one. A value that is no position is passed over.
   *
   * @returns a function that ends the watch
   */
  async watch(onChange: (runId: string, position: RunPosition | undefined) => void): Promise<() => void> {
    const watch = new PositionWatch<RunPosition>(
      {
        all: () => this.readAll(),
        follow: (signal) => this.follow(signal),
      },
      onChange,
    );
    await throughOutages(() => watch.start(), { what: 'watch the positions of the runs' });
    return () => watch.stop();
  }

  private async readAll(): Promise<readonly PositionEntry<RunPosition>[]> {
    return (await this.lastOfAll()).flatMap(({ subject, sequence, isMarker, data }) => {
      const operation = isMarker ? 'DEL' : 'PUT';
      const position = positionEntry({ key: keyOf(subject), revision: sequence, operation, value: data });
      return position?.value === undefined ? [] : [position];
    });
  }

  /** Not by the bucket's own history(), which leaves a consumer behind. */
  private async lastOfAll(): Promise<readonly LastMessage[]> {
    const manager = await streamManager(this.connection);
    return lastMessages(this.connection, manager, BUCKET_STREAM, `${KEY_PREFIX}${POSITION_KEYS}`);
  }

  private async *follow(signal: AbortSignal): AsyncGenerator<PositionEntry<RunPosition>> {
    const bucket = await this.open();
    const entries = await bucket.watch({ key: POSITION_KEYS });
    const stop = (): void => entries.stop();
    signal.addEventListener('abort', stop);
    try {
      if (signal.aborted) stop();
      for await (const entry of entries) {
        const position = positionEntry(entry);
        if (position !== undefined) yield position;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
  }

  /**
   * Lets a training that was given up be tried again from its last checkpoint: its attempts are counted anew, and the result that said
   * so is taken back. Nothing happens to one that ended otherwise.
   */
  async resetAttempts(runId: string): Promise<void> {
    for (;;) {
      const found = await this.read(runId);
      if (found === undefined) return;
      const { position, revision } = found;
      const givenUp =
        position.result?.outcome === 'failed' && position.result.error.code === 'TRAINING.ATTEMPTS_EXHAUSTED';
      if (position.result !== null && !givenUp) return;
      try {
        await this.update(runId, { ...position, attempts: 0, result: null }, revision);
        return;
      } catch (error) {
        // A worker wrote in between.
        if (!FidelisError.is(error) || error.code !== 'RUN.LEASE_LOST') throw error;
      }
    }
  }

  /** Asks the run's worker to stop. */
  async requestCancel(runId: string): Promise<void> {
    await throughOutages(async () => (await this.open()).put(cancelKey(runId), encodeJson({ runId })), {
      what: `ask ${runId} to stop`,
    });
  }

  /** Takes a request to stop back, for a training that is to be tried again. */
  async withdrawCancel(runId: string): Promise<void> {
    await this.purge(`let ${runId} go on`, [cancelKey(runId)]);
  }

  async cancelled(runId: string): Promise<boolean> {
    return throughOutages(
      async () => (await (await this.open()).get(cancelKey(runId)))?.operation === 'PUT',
      { what: `see whether ${runId} is cancelled` },
    );
  }

  /**
   * Calls `onCancel` once, when the run is or was asked to stop, also over lost connections.
   * @returns a function that ends the watch
   */
  async watchCancel(runId: string, onCancel: () => void): Promise<() => void> {
    const bucket = await throughOutages(() => this.open(), { what: `watch ${runId}` });
    return watchKey(bucket, cancelKey(runId), onCancel);
  }

  /** Removes all that is known of the run here. */
  async forget(runId: string): Promise<void> {
    await this.purge(`forget ${runId}`, [subjectToken(runId), cancelKey(runId)]);
  }

  private async purge(what: string, keys: readonly string[]): Promise<void> {
    await throughOutages(
      async () => {
        const manager = await streamManager(this.connection);
        for (const key of keys) {
          // Purging the bucket's stream leaves no marker behind, unlike the bucket's own delete.
          await manager.streams.purge(BUCKET_STREAM, { filter: `${KEY_PREFIX}${key}` });
        }
      },
      { what },
    );
  }

  private async write(
    runId: string,
    position: RunPosition,
    put: (bucket: KV, data: Uint8Array) => Promise<number>,
  ): Promise<number> {
    const data = encodeJson(parseStrict(runPositionSchema, position));
    return throughOutages(
      async (earlierAttempts) => {
        try {
          return await put(await this.open(), data);
        } catch (error) {
          if (!isWrongRevision(error)) throw error;
          const stored = await this.read(runId);
          // An earlier attempt whose answer was lost may have been the one that wrote.
          const ours = stored !== undefined && canonicalJson(stored.position) === canonicalJson(position);
          if (earlierAttempts > 0 && ours) return stored.revision;
          throw new FidelisError('RUN.LEASE_LOST', `another worker has taken over ${runId}`, {
            details: { runId, owner: stored?.position.worker, token: stored?.position.token },
            cause: error,
          });
        }
      },
      { what: `write the position of ${runId}` },
    );
  }

  private open(): Promise<KV> {
    this.bucket ??= new Kvm(streamClient(this.connection)).open(RUNS_BUCKET).catch((error: unknown) => {
      this.bucket = undefined;
      throw error;
    });
    return this.bucket;
  }
}

function keyOf(subject: string): string {
  return subject.slice(KEY_PREFIX.length);
}

/** undefined where the value is no position. */
function positionEntry({
  key,
  revision,
  operation,
  value,
}: Pick<KvEntry, 'key' | 'revision' | 'operation' | 'value'>): PositionEntry<RunPosition> | undefined {
  if (operation !== 'PUT') return { runId: key, revision, value: undefined };
  try {
    return { runId: key, revision, value: parseTolerant(runPositionSchema, decodeJson(value)) };
  } catch {
    return undefined;
  }
}

function isWrongRevision(error: unknown): boolean {
  return (
    isJetStreamError(error, JS_ERROR.wrongLastSequence) ||
    (error instanceof Error && isJetStreamError(error.cause, JS_ERROR.wrongLastSequence))
  );
}
