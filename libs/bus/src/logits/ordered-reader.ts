import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FidelisError, logitStreamName } from '@fidelis/contracts';
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { ConnectionWatch } from '../connection/connection-watch.js';
import { throughOutages } from '../connection/patience.js';
import type { Delivery } from '../pull/delivery.js';
import { PullRequest } from '../pull/pull-request.js';

interface OrderedReaderOptions {
  readonly key: string;
  /** Of each step: for errors, which speak of steps. */
  readonly parts: number;
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
  /** How long a message that is gone may take to be there again; 0: it is an error at once. */
  readonly goneLimitMs: number;
  readonly onLoss: ((loss: FrameLoss) => void) | undefined;
}

/** A message that a reader wants, and that the log cannot give it as it stands. */
export interface FrameLoss {
  readonly key: string;
  readonly sequence: number;
  /** STREAM.GONE: it lies before what is stored; STREAM.GAP: others after it are stored; STREAM.NOT_FOUND: there is no log. */
  readonly code: 'STREAM.GONE' | 'STREAM.GAP' | 'STREAM.NOT_FOUND';
}

/** The server forgets the consumer of a reader that was killed after this. */
const INACTIVE_MS = 20_000;
const RETRY_MS = 250;
/** How often a log that has lost something is looked at. */
const LOOK_AGAIN_MS = 500;

/**
 * An ordered consumer of a logit stream. It has no state on the server that matters, and is made again at the next expected sequence
 * number whenever something is odd. Only what its user asks for is under way, so a slow one holds nobody up.
 */
export class OrderedReader {
  private readonly stream: string;
  private readonly watch: ConnectionWatch;
  private readonly cancel = new AbortController();
  private readonly onAbort = (): void => this.abort();
  private consumer: string | undefined;
  private pull: PullRequest | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly options: OrderedReaderOptions,
  ) {
    this.stream = logitStreamName(options.key);
    this.watch = new ConnectionWatch(connection);
    if (options.signal?.aborted === true) this.abort();
    else options.signal?.addEventListener('abort', this.onAbort);
  }

  /**
   * @param batch how many messages may be under way from here on
   * @returns the message with this sequence number; undefined when the reader was told to stop
   * @throws FidelisError STREAM.GONE, STREAM.GAP, STREAM.NOT_FOUND, BUS.UNAVAILABLE
   */
  async next(sequence: number, batch: number): Promise<Delivery | undefined> {
    let lostAt: number | undefined;
    while (!this.cancel.signal.aborted) {
      try {
        const delivery = await this.receive(sequence, batch);
        if (delivery !== undefined) return delivery;
      } catch (error) {
        const loss = this.lossOf(error, sequence);
        if (loss === undefined) throw error;
        if (lostAt === undefined) this.options.onLoss?.(loss);
        lostAt ??= performance.now();
        if (performance.now() - lostAt >= this.options.goneLimitMs) throw this.givenUp(error);
        await this.discardConsumer();
        await sleep(LOOK_AGAIN_MS, undefined, { signal: this.cancel.signal }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** @returns undefined where nothing came that is of use, and one has to ask again */
  private async receive(sequence: number, batch: number): Promise<Delivery | undefined> {
    await this.watch.connected(this.cancel.signal);
    this.consumer ??= await this.createConsumer(sequence);
    this.pull ??= this.request(this.consumer, batch);
    const result = await this.pull.next();
    if (typeof result !== 'string') {
      if (result.streamSequence === sequence) return result;
      // Where a log that was begun anew is not that far yet, the server gives what comes before.
      if (result.streamSequence < sequence) return undefined;
      // The server begins at the first message that exists, and skips what was deleted.
      await this.discardConsumer();
      await this.assertStored(sequence);
      return undefined;
    }
    this.pull = undefined;
    if (result === 'expired') await this.assertNotPurged(sequence);
    if (result === 'interrupted' || result === 'gone') {
      this.consumer = undefined;
      await sleep(RETRY_MS);
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.abort();
    this.options.signal?.removeEventListener('abort', this.onAbort);
    this.watch.close();
    await this.discardConsumer();
  }

  private abort(): void {
    this.cancel.abort();
    this.pull?.close();
  }

  private request(consumer: string, batch: number): PullRequest {
    const { silenceMs: expiresMs } = this.options;
    return new PullRequest(this.connection, this.watch, { stream: this.stream, consumer, batch, expiresMs });
  }

  private async createConsumer(sequence: number): Promise<string> {
    await this.assertNotPurged(sequence);
    return this.administer(async (manager) => {
      const { name } = await manager.consumers.add(this.stream, {
        name: `reader-${randomUUID()}`,
        ack_policy: AckPolicy.None,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: sequence,
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: nanos(INACTIVE_MS),
      });
      return name;
    });
  }

  /** @throws FidelisError STREAM.GONE where the message, which comes next, can not come any more */
  private async assertNotPurged(sequence: number): Promise<void> {
    const { state } = await this.administer((manager) => manager.streams.info(this.stream));
    if (state.first_seq > sequence) throw this.gone(sequence, state.first_seq, state.last_seq);
  }

  /** Like assertNotPurged, for a message that was skipped: a single one may have been deleted. */
  private async assertStored(sequence: number): Promise<void> {
    await this.assertNotPurged(sequence);
    await this.administer(async (manager) => {
      try {
        if ((await manager.streams.getMessage(this.stream, { seq: sequence })) !== null) return;
      } catch (error) {
        if (!isJetStreamError(error, JS_ERROR.noMessageFound)) throw error;
      }
      const { key, parts } = this.options;
      const step = stepOf(sequence, parts);
      throw new FidelisError(
        'STREAM.GAP',
        `message ${sequence} (of step ${step}) of the logit stream ${key} was lost from the middle of the log: ` +
          'start the run again, or open the stream: its teacher produces it again while its weights are kept',
        { details: { key, step, sequence } },
      );
    });
  }

  private gone(sequence: number, firstSequence: number, lastSequence: number): FidelisError {
    const { key, parts } = this.options;
    const step = stepOf(sequence, parts);
    const firstStep = Math.ceil((firstSequence - 1) / parts);
    const endStep = Math.floor(lastSequence / parts);
    const stored =
      firstStep < endStep ? `it has steps ${firstStep} to ${endStep - 1}` : 'it has none at the moment';
    return new FidelisError(
      'STREAM.GONE',
      `step ${step} of the logit stream ${key} is gone: ${stored}. ` +
        'Start the run again, or open the stream: its teacher produces it again while its weights are kept',
      { details: { key, step, sequence, firstStep, endStep } },
    );
  }

  /** What of the reader's errors may be healed by a log that is begun anew. */
  private lossOf(error: unknown, sequence: number): FrameLoss | undefined {
    if (!FidelisError.is(error)) return undefined;
    const { code } = error;
    if (code !== 'STREAM.GONE' && code !== 'STREAM.GAP' && code !== 'STREAM.NOT_FOUND') return undefined;
    return { key: this.options.key, sequence, code };
  }

  /** What did not come while one waited for it may still come: somebody may be about to produce it. */
  private givenUp(error: unknown): unknown {
    if (!FidelisError.is(error) || this.options.goneLimitMs === 0) return error;
    const { code, message, details, cause } = error;
    return new FidelisError(code, message, { details, cause, retryable: true });
  }

  private async discardConsumer(): Promise<void> {
    const { consumer } = this;
    this.pull?.close();
    this.pull = undefined;
    this.consumer = undefined;
    if (consumer === undefined || this.connection.isClosed()) return;
    try {
      const manager = await streamManager(this.connection);
      await manager.consumers.delete(this.stream, consumer);
    } catch {
      // Gone with its server or stream, or forgotten by the server in a while.
    }
  }

  private administer<Result>(work: (manager: JetStreamManager) => Promise<Result>): Promise<Result> {
    return throughOutages(async () => work(await streamManager(this.connection)), {
      what: `read the logit stream ${this.options.key}`,
      signal: this.cancel.signal,
    });
  }
}

/** Sequence number = step · parts + part + 1. */
function stepOf(sequence: number, parts: number): number {
  return Math.floor((sequence - 1) / parts);
}
