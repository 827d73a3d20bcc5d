import {
  FidelisError,
  LOGIT_SUBJECTS,
  logitStreamKey,
  logitStreamName,
  logitSubject,
} from '@fidelis/contracts';
import {
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamInfo,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { throughOutages } from '../connection/patience.js';
import { ensureStream } from '../topology/ensure-topology.js';
import type { RequestedStream } from '../topology/stream-config.js';
import { appendStep, type AppendOutcome } from './append-step.js';
import { LogLock } from './log-lock.js';
import { withQuotaDetails } from './quota-details.js';
import { readFrames, type ReadOptions, type StoredFrame } from './read-frames.js';

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
  readonly key: string;
  readonly stream: string;
  /** Sequence number = step · parts + part + 1. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: number;
  readonly bytes: number;
  readonly createdAt: string;
}

export interface LogUsage {
  readonly bytes: number;
  readonly streams: number;
}

/** The steps of a log that are wholly stored. */
export interface StoredSteps {
  readonly firstStep: number;
  /** One after the last; `firstStep` if there is none. */
  readonly endStep: number;
  readonly bytes: number;
  /** Whether messages between the first and the last one are missing. */
  readonly hasGap: boolean;
}

/**
 * The logits of one teacher over one view as an append-only log: one JetStream stream per stream key, in which the sequence
 * number is step · parts + part + 1. A publisher states the last sequence that it expects, so that restarted or racing
 * publishers neither store a frame twice nor leave a hole; a reader rejects any number that it did not expect.
 */
export class LogitLog {
  private readonly replicas: number;
  private readonly lock: LogLock;

  constructor(
    private readonly connection: NatsConnection,
    options: LogitLogOptions = {},
  ) {
    this.replicas = options.replicas ?? 1;
    this.lock = new LogLock(connection, { replicas: this.replicas });
  }

  /**
   * Creates the stream unless it exists.
   * @throws FidelisError BUS.STREAM_CONFLICT; STREAM.QUOTA
   */
  async ensure(key: string, options: EnsureLogOptions = {}): Promise<void> {
    if ((await this.info(key)) !== undefined) return;
    await this.lock.whileHeld(key, () => this.create(key, options));
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
   * @throws FidelisError STREAM.NOT_FOUND; STREAM.QUOTA with usedBytes and, where the server tells it, limitBytes; BUS.UNAVAILABLE if the
   *   connection is closed
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
    return withQuotaDetails(this.connection, key, () =>
      appendStep(this.connection, { key, step, messages, signal: options.signal }),
    );
  }

  /**
   * The frames from step `fromStep` up to, but without, `toStep` (without it: no end), each part exactly once and in
   * order; waits for those that are not yet there, also over restarts of NATS.
   *
   * @throws FidelisError STREAM.NOT_FOUND; STREAM.GONE where a step lies before what is stored; STREAM.GAP where a frame was lost from
   *   the middle; FRAME.FOREIGN where a frame of another stream or position is in the log; FRAME.INVALID where something is that is no frame
   */
  read(key: string, options: ReadOptions): AsyncIterable<StoredFrame> {
    return readFrames(this.connection, key, options);
  }

  /** Removes the steps before this one; never more than is stored. Nothing happens where there is no such stream. */
  async purge(
    key: string,
    { parts, beforeStep }: { readonly parts: number; readonly beforeStep: number },
  ): Promise<void> {
    if (beforeStep <= 0 || (await this.info(key)) === undefined) return;
    await this.lock.whileHeld(key, () =>
      this.administer(`purge the logit stream ${key}`, async (manager) => {
        try {
          // With its subject, which all have: a purge without one that goes beyond the last message moves the end of the log along.
          await manager.streams.purge(logitStreamName(key), {
            filter: logitSubject(key),
            seq: beforeStep * parts + 1,
          });
        } catch (error) {
          if (!isJetStreamError(error, JS_ERROR.streamNotFound)) throw error;
        }
      }),
    );
  }

  /**
   * Begins a new incarnation of the stream at `firstStep`: what is stored of it is removed, and its readers wait for what they need
   * next. A log that can be read or continued from `firstStep` on as it is, without a gap, is left alone: of two replicas that do
   * this at once the second finds what the first has made.
   *
   * @returns whether it was begun anew
   * @throws FidelisError STREAM.QUOTA
   */
  async renew(
    key: string,
    { parts, firstStep }: { readonly parts: number; readonly firstStep: number },
  ): Promise<boolean> {
    return this.lock.whileHeld(key, async () => {
      const stored = await this.steps(key, parts);
      if (stored !== undefined) {
        const { firstStep: first, endStep, hasGap } = stored;
        if (first <= firstStep && firstStep <= endStep && !hasGap) return false;
        await this.delete(key);
      }
      await this.create(key, { firstStep, parts });
      return true;
    });
  }

  /** undefined if there is no such stream. */
  async steps(key: string, parts: number): Promise<StoredSteps | undefined> {
    const info = await this.info(key);
    return info === undefined ? undefined : storedSteps(info, parts);
  }

  /** All logit streams that there are. */
  async list(): Promise<readonly LogInfo[]> {
    return this.administer('list the logit streams', async (manager) => {
      const logs: LogInfo[] = [];
      for await (const info of manager.streams.list(LOGIT_SUBJECTS)) logs.push(logInfo(info));
      return logs;
    });
  }

  /** What all logit streams together take on the disk of NATS. */
  async usage(): Promise<LogUsage> {
    const logs = await this.list();
    return { bytes: logs.reduce((sum, { bytes }) => sum + bytes, 0), streams: logs.length };
  }

  /** With all that is stored in it. Nothing happens where there is no such stream. */
  async remove(key: string): Promise<void> {
    if ((await this.info(key)) === undefined) return;
    await this.lock.whileHeld(key, () => this.delete(key));
  }

  /** undefined if there is no such stream. */
  async info(key: string): Promise<LogInfo | undefined> {
    return this.administer(`look at the logit stream ${key}`, (manager) => this.find(manager, key));
  }

  private async create(key: string, { firstStep = 0, parts = 1 }: EnsureLogOptions): Promise<void> {
    await withQuotaDetails(this.connection, key, () =>
      this.administer(`create the logit stream ${key}`, async (manager) => {
        if ((await this.find(manager, key)) !== undefined) return;
        await ensureStream(manager, this.configuration(key, firstStep * parts + 1));
      }),
    );
  }

  private async delete(key: string): Promise<void> {
    await this.administer(`remove the logit stream ${key}`, async (manager) => {
      try {
        await manager.streams.delete(logitStreamName(key));
      } catch (error) {
        if (!isJetStreamError(error, JS_ERROR.streamNotFound)) throw error;
      }
    });
  }

  private configuration(key: string, firstSequence: number): RequestedStream {
    return {
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
    };
  }

  private async find(manager: JetStreamManager, key: string): Promise<LogInfo | undefined> {
    try {
      return logInfo(await manager.streams.info(logitStreamName(key)));
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

export function storedSteps(
  { firstSequence, lastSequence, messages, bytes }: LogInfo,
  parts: number,
): StoredSteps {
  const firstStep = Math.ceil((Math.max(firstSequence, 1) - 1) / parts);
  const endStep = Math.max(firstStep, Math.floor(lastSequence / parts));
  const hasGap = messages < Math.max(0, lastSequence - Math.max(firstSequence, 1) + 1);
  return { firstStep, endStep, bytes, hasGap };
}

function logInfo({ state, created, config }: StreamInfo): LogInfo {
  return {
    key: logitStreamKey(config.name),
    stream: config.name,
    firstSequence: state.first_seq,
    lastSequence: state.last_seq,
    messages: state.messages,
    bytes: state.bytes,
    createdAt: created,
  };
}
