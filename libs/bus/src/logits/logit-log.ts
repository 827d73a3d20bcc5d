import { FidelisError, logitStreamName, logitSubject, type LogitFrame } from '@fidelis/contracts';
import { DiscardPolicy, RetentionPolicy, StorageType, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { throughOutages } from '../connection/patience.js';
import { ensureStream } from '../topology/ensure-topology.js';
import { appendStep, type AppendOutcome } from './append-step.js';
import { readFrames, type ReadOptions } from './read-frames.js';

export interface LogitLogOptions {
  /** Copies of each stream in a cluster. @default 1 */
  readonly replicas?: number | undefined;
}

export interface EnsureLogOptions {
  /** Step at which a new incarnation of the stream begins; nothing for one that exists. @default 0 */
  readonly firstStep?: number | undefined;
  /** Parts of each step; needed with `firstStep`. @default 1 */
  readonly parts?: number | undefined;
}

export interface LogInfo {
  readonly stream: string;
  /** Sequence number = step · parts + part + 1. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: number;
  readonly bytes: number;
  readonly createdAt: string;
}

/**
 * The logits of one teacher over one view as an append-only log: one JetStream stream per stream key, in which the sequence
 * number is step · parts + part + 1. A publisher states the last sequence that it expects, so that restarted or racing
 * publishers neither store a frame twice nor leave a hole; a reader rejects any number that it did not expect.
 */
export class LogitLog {
  private readonly replicas: number;

  constructor(
    private readonly connection: NatsConnection,
    options: LogitLogOptions = {},
  ) {
    this.replicas = options.replicas ?? 1;
  }

  /**
   * Creates the stream unless it exists.
   * @throws FidelisError BUS.STREAM_CONFLICT; STREAM.QUOTA
   */
  async ensure(key: string, options: EnsureLogOptions = {}): Promise<void> {
    const firstSequence = (options.firstStep ?? 0) * (options.parts ?? 1) + 1;
    await this.administer(`create the logit stream ${key}`, async (manager) => {
      if ((await this.find(manager, key)) !== undefined) return;
      await ensureStream(manager, {
        name: logitStreamName(key),
        subjects: [logitSubject(key)],
        retention: RetentionPolicy.Limits,
        storage: StorageType.File,
        // With the default, a stream at its limit would drop its oldest frames without a word.
        discard: DiscardPolicy.New,
        max_age: 0,
        num_replicas: this.replicas,
        allow_direct: true,
        ...(firstSequence > 1 ? { first_seq: firstSequence } : {}),
      });
    });
  }

  /** The last step of which all parts are stored; −1 if there is none, or no such stream. */
  async lastStep(key: string, parts: number): Promise<number> {
    const info = await this.info(key);
    return info === undefined ? -1 : Math.floor(info.lastSequence / parts) - 1;
  }

  /**
   * Appends the encoded frames of one step, in the order of their parts. Waits while NATS is away.
   *
   * @returns `behind` if the log does not end where this step begins (another publisher was here, or the stream is a new
   *   one): read lastStep and go on from there. What another publisher has stored of the step is completed.
   * @throws FidelisError STREAM.NOT_FOUND, STREAM.QUOTA; BUS.UNAVAILABLE if the connection is closed
   */
  append(
    key: string,
    parts: number,
    step: number,
    messages: readonly Uint8Array[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<AppendOutcome> {
    if (messages.length !== parts) {
      const problem = `${messages.length} messages for a step of ${parts} parts`;
      return Promise.reject(new FidelisError('FRAME.INVALID', problem));
    }
    return appendStep(this.connection, { key, step, messages, signal: options.signal });
  }

  /**
   * The frames from step `fromStep` up to, but without, `toStep` (without it: no end), each part exactly once and in
   * order; waits for those that are not yet there, also over restarts of NATS.
   *
   * @throws FidelisError STREAM.NOT_FOUND; STREAM.GAP where a frame is gone or another came in its place; FRAME.FOREIGN where a
   *   frame of another stream or position is in the log; FRAME.INVALID where something is that is no frame
   */
  read(key: string, options: ReadOptions): AsyncIterable<LogitFrame> {
    return readFrames(this.connection, key, options);
  }

  async remove(key: string): Promise<void> {
    await this.administer(`remove the logit stream ${key}`, async (manager) => {
      try {
        await manager.streams.delete(logitStreamName(key));
      } catch (error) {
        if (!isJetStreamError(error, JS_ERROR.streamNotFound)) throw error;
      }
    });
  }

  /** undefined if there is no such stream. */
  async info(key: string): Promise<LogInfo | undefined> {
    return this.administer(`look at the logit stream ${key}`, (manager) => this.find(manager, key));
  }

  private async find(manager: JetStreamManager, key: string): Promise<LogInfo | undefined> {
    try {
      const { state, created, config } = await manager.streams.info(logitStreamName(key));
      return {
        stream: config.name,
        firstSequence: state.first_seq,
        lastSequence: state.last_seq,
        messages: state.messages,
        bytes: state.bytes,
        createdAt: created,
      };
    } catch (error) {
      if (isJetStreamError(error, JS_ERROR.streamNotFound)) return undefined;
      throw error;
    }
  }

  private administer<Result>(
    what: string,
    work: (manager: JetStreamManager) => Promise<Result>,
  ): Promise<Result> {
    return throughOutages(async () => work(await streamManager(this.connection)), {
      what,
    });
  }
}
