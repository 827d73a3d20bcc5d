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
  readonly silenceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The server forgets the consumer of a reader that was killed after this. */
const INACTIVE_MS = 60_000;
const RETRY_MS = 250;

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
   * @throws FidelisError STREAM.GAP, STREAM.NOT_FOUND, BUS.UNAVAILABLE
   */
  async next(sequence: number, batch: number): Promise<Delivery | undefined> {
    while (!this.cancel.signal.aborted) {
      await this.watch.connected(this.cancel.signal);
      this.consumer ??= await this.createConsumer(sequence);
      this.pull ??= this.request(this.consumer, batch);
      const result = await this.pull.next();
      if (typeof result !== 'string') {
        if (result.streamSequence === sequence) return result;
        // The server begins at the first message that exists, and skips what was deleted.
        await this.discardConsumer();
        await this.assertStored(sequence);
        continue;
      }
      this.pull = undefined;
      if (result === 'expired') await this.assertNotPurged(sequence);
      if (result === 'interrupted' || result === 'gone') {
        this.consumer = undefined;
        await sleep(RETRY_MS);
      }
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

  /** @throws FidelisError STREAM.GAP where the message, which comes next, can not come any more */
  private async assertNotPurged(sequence: number): Promise<void> {
    const { state } = await this.administer((manager) => manager.streams.info(this.stream));
    if (state.first_seq > sequence) throw this.gap(sequence, state.first_seq);
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
      throw this.gap(sequence, undefined);
    });
  }

  private gap(sequence: number, firstSequence: number | undefined): FidelisError {
    return new FidelisError(
      'STREAM.GAP',
      `message ${sequence} of the logit stream ${this.options.key} is gone; open the stream again from there`,
      { details: { key: this.options.key, sequence, firstSequence } },
    );
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
      // Gone with its server or stream, or forgotten by the server in a minute.
    }
  }

  private administer<Result>(work: (manager: JetStreamManager) => Promise<Result>): Promise<Result> {
    return throughOutages(async () => work(await streamManager(this.connection)), {
      what: `read the logit stream ${this.options.key}`,
      signal: this.cancel.signal,
    });
  }
}
