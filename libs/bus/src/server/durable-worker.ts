import { setTimeout as sleep } from 'node:timers/promises';
import { FidelisError } from '@fidelis/contracts';
import type { MessageOutcome } from '../connection/bus-observer.js';
import { untilUninterrupted, type ConnectionWatch } from '../connection/connection-watch.js';
import { correlationIdOf } from '../connection/correlation.js';
import { acknowledge, nakPayload, reportWorking, termPayload, type Delivery } from '../pull/delivery.js';
import { PullRequest } from '../pull/pull-request.js';
import { oneLine, type DeadLetters } from '../dead-letters/dead-letters.js';
import { ensureConsumer, type DurableConsumer } from './durable-consumer.js';
import { headerMap } from './header-map.js';
import { fencingToken, type MessageContext } from './message-context.js';
import { inMessageScope, type ServerEnvironment } from './server-environment.js';
import { backoffMs, isPlatformOutage, settleFailure, type Settlement } from './settlement.js';

/** Decodes and handles one message; what it throws decides what becomes of the message. */
export type DeliveryHandler = (delivery: Delivery, context: MessageContext) => Promise<void>;

const PULL_EXPIRES_MS = 30_000;
const RETRY_MS = 250;
const LATE_SETTLE_MS = 1_000;

/**
 * Handles the messages of one durable consumer, `concurrency` at a time. A message is asked for only when there is a hand free
 * for it: what one process is slow with, another one takes.
 */
export class DurableWorker {
  private readonly pulls = new Set<PullRequest>();
  private loops: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly environment: ServerEnvironment,
    private readonly watch: ConnectionWatch,
    private readonly deadLetters: DeadLetters,
    private readonly consumer: DurableConsumer,
    private readonly handle: DeliveryHandler,
  ) {}

  async start(): Promise<void> {
    await ensureConsumer(this.environment.connection, this.consumer, this.environment.draining);
    this.loops = Promise.all(Array.from({ length: this.consumer.concurrency }, () => this.run()));
  }

  /** To be called when `draining` has aborted. Returns when the messages in hand are settled. */
  async drain(): Promise<void> {
    await Promise.all([...this.pulls].map((pull) => pull.withdraw()));
    await this.loops;
  }

  private async run(): Promise<void> {
    const { connection, draining, log } = this.environment;
    while (!draining.aborted && !connection.isClosed()) {
      try {
        await this.round();
      } catch (error) {
        if (draining.aborted || connection.isClosed()) return;
        log.error('a consumer stumbled and goes on', { durable: this.consumer.durable, error });
        await this.pause(RETRY_MS);
      }
    }
  }

  private async round(): Promise<void> {
    const { connection, draining } = this.environment;
    await this.watch.connected(draining);
    if (draining.aborted) return;
    const pull = new PullRequest(connection, this.watch, {
      stream: this.consumer.stream,
      consumer: this.consumer.durable,
      batch: 1,
      expiresMs: PULL_EXPIRES_MS,
    });
    this.pulls.add(pull);
    try {
      const result = await pull.next();
      if (typeof result !== 'string') await this.take(result);
      else if (result === 'interrupted') await this.pause(RETRY_MS);
      else if (result === 'gone') await this.restoreConsumer();
    } finally {
      this.pulls.delete(pull);
    }
  }

  private async restoreConsumer(): Promise<void> {
    await this.pause(RETRY_MS);
    if (this.environment.draining.aborted) return;
    await ensureConsumer(this.environment.connection, this.consumer, this.environment.draining);
  }

  private async take(delivery: Delivery): Promise<void> {
    const { kind } = this.consumer;
    const { draining, observer } = this.environment;
    if (draining.aborted) {
      // It was under way when the drain began.
      await this.settle(delivery, nakPayload(0));
      return;
    }
    const startedAt = performance.now();
    if (delivery.deliveryCount > 1) observer.redelivery?.(kind);
    const outcome = await this.apply(delivery, await this.attempt(delivery));
    observer.messageHandled?.(kind, outcome, (performance.now() - startedAt) / 1_000);
  }

  private async attempt(delivery: Delivery): Promise<Settlement> {
    const { retry, kind } = this.consumer;
    const { draining } = this.environment;
    if (delivery.deliveryCount > retry.maxDeliver) {
      const problem = `delivered ${delivery.deliveryCount} times without an outcome: its handler may end the process`;
      return { action: 'dead', error: new FidelisError('INTERNAL', problem) };
    }
    const context = this.contextOf(delivery, kind === 'job' ? draining : this.environment.late);
    for (let outages = 1; ; outages++) {
      try {
        await inMessageScope(this.environment, context, () => this.handle(delivery, context));
        return { action: 'ack' };
      } catch (thrown) {
        if (draining.aborted || !isPlatformOutage(thrown)) {
          return settleFailure(
            thrown,
            { deliveryCount: delivery.deliveryCount, draining: draining.aborted },
            retry,
          );
        }
        await this.waitForPlatform(thrown, context, outages);
      }
    }
  }

  private async waitForPlatform(thrown: unknown, context: MessageContext, outages: number): Promise<void> {
    const { durable, ackWaitMs, retry } = this.consumer;
    if (outages === 1) {
      this.environment.log.warn('what a handler needs is away; it waits', { durable, error: thrown });
    }
    context.working();
    await this.pause(Math.min(backoffMs(outages, retry.backoffMs), ackWaitMs / 3));
    context.working();
  }

  private contextOf(delivery: Delivery, signal: AbortSignal): MessageContext {
    return {
      subject: delivery.subject,
      headers: headerMap(delivery.headers),
      correlationId: correlationIdOf(delivery.headers),
      deliveryCount: delivery.deliveryCount,
      streamSequence: delivery.streamSequence,
      fencingToken: fencingToken(delivery.streamSequence, delivery.deliveryCount),
      working: () => reportWorking(this.environment.connection, delivery),
      signal,
    };
  }

  private async apply(delivery: Delivery, settlement: Settlement): Promise<MessageOutcome> {
    const { kind, durable } = this.consumer;
    const { log, observer, late } = this.environment;
    if (settlement.action === 'ack') {
      await this.settle(delivery, undefined);
      return 'done';
    }
    const { error } = settlement;
    const fields = {
      durable,
      subject: delivery.subject,
      delivery: delivery.deliveryCount,
      code: error.code,
      error,
    };
    if (settlement.action === 'leave') {
      log.warn('message left to its newer owner', fields);
      return 'retried';
    }
    if (settlement.action === 'retry') {
      log.warn('message given back', { ...fields, delayMs: settlement.delayMs });
      await this.settle(delivery, nakPayload(settlement.delayMs));
      return 'retried';
    }
    log.error('message set aside', fields);
    await this.deadLetters.keep(kind, durable, delivery, error, late);
    await this.settle(delivery, termPayload(oneLine(error.message)));
    observer.deadLetter?.(kind);
    return 'dead';
  }

  /** What cannot be settled is delivered again after ack_wait: a server that was killed may not know of the delivery any more. */
  private async settle(delivery: Delivery, payload: Uint8Array | undefined): Promise<void> {
    const { connection, log, late } = this.environment;
    try {
      // What a handler gives back when it was told to stop is still sent, but an absent server is not waited for any more.
      const limit = late.aborted ? AbortSignal.timeout(LATE_SETTLE_MS) : late;
      await untilUninterrupted(this.watch, limit, () => acknowledge(connection, delivery, payload));
    } catch (error) {
      log.warn('a message could not be settled and will come again', { subject: delivery.subject, error });
    }
  }

  private async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.environment.draining }).catch(() => undefined);
  }
}
