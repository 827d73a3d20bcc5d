import { setTimeout as sleep } from 'node:timers/promises';
import { FidelisError, RUNS_BUCKET } from '@fidelis/contracts';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/transport-node';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { streamClient, streamManager } from '../connection/jetstream-clients.js';
import { encodeJson } from '../connection/json-wire.js';
import { throughOutages } from '../connection/patience.js';
import { ensureRunsBucket } from '../topology/ensure-topology.js';

/** Longer than any removal or creation takes: who holds it for so long is dead. */
const DEAD_AFTER_MS = 10_000;
const LOOK_AGAIN_MS = 50;
const RUNS_STREAM = `KV_${RUNS_BUCKET}`;

/**
 * Lets one process at a time make, purge or remove a logit stream. A nats-server (2.15.1) that is asked to remove and to make a stream of one name
 * at once may keep a stream whose files it has removed: its publishers are never answered. Nothing but that rests on the lock.
 */
export class LogLock {
  private bucket: KV | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly options: { readonly replicas: number },
  ) {}

  /**
   * A store without room for the lock itself is worked on without it: what makes room must go on.
   *
   * @throws FidelisError BUS.UNAVAILABLE if the connection is closed; what the work throws
   */
  async whileHeld<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const name = `logits.${key}`;
    const what = `lock the logit stream ${key}`;
    const revision = await throughOutages(() => this.take(name), { what }).catch((error: unknown) => {
      if (FidelisError.is(error) && error.code === 'STREAM.QUOTA') return undefined;
      throw error;
    });
    try {
      return await work();
    } finally {
      // Up to what was written here: another may have taken it over from a process that seemed dead.
      if (revision !== undefined)
        await throughOutages(() => this.giveBack(name, revision), { what }).catch(() => undefined);
    }
  }

  private async take(name: string): Promise<number> {
    const bucket = await this.open();
    let seen = { revision: 0, at: performance.now() };
    for (;;) {
      const holder = await bucket.get(name);
      const isFree = holder?.operation !== 'PUT';
      const revision = holder?.revision ?? 0;
      if (revision !== seen.revision) seen = { revision, at: performance.now() };
      if (isFree || performance.now() - seen.at >= DEAD_AFTER_MS) {
        try {
          return await bucket.put(name, encodeJson({}), { previousSeq: revision });
        } catch (error) {
          if (!isTaken(error)) throw error;
        }
      }
      await sleep(LOOK_AGAIN_MS);
    }
  }

  private async giveBack(name: string, revision: number): Promise<void> {
    const manager = await streamManager(this.connection);
    await manager.streams.purge(RUNS_STREAM, {
      filter: `$KV.${RUNS_BUCKET}.${name}`,
      seq: revision + 1,
    });
  }

  private async open(): Promise<KV> {
    if (this.bucket !== undefined) return this.bucket;
    let isThere = true;
    try {
      await (await streamManager(this.connection)).streams.info(RUNS_STREAM);
    } catch (error) {
      if (!isJetStreamError(error, JS_ERROR.streamNotFound)) throw error;
      isThere = false;
    }
    // Not everybody who may use it may make it.
    this.bucket = isThere
      ? await new Kvm(streamClient(this.connection)).open(RUNS_BUCKET)
      : await ensureRunsBucket(this.connection, this.options.replicas);
    return this.bucket;
  }
}

function isTaken(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return (
    isJetStreamError(error, JS_ERROR.wrongLastSequence) || isJetStreamError(cause, JS_ERROR.wrongLastSequence)
  );
}
