import { STREAMS, SUBJECT_ROOT, subjectToken } from '@fidelis/contracts';
import { AckPolicy, DeliverPolicy, type ConsumerConfig } from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { streamManager } from '../connection/jetstream-clients.js';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { throughOutages } from '../connection/patience.js';
import type { MessageKind } from '../connection/bus-observer.js';
import type { Placement } from '@fidelis/contracts';
import type { DurableOptions, HandlerDefinition } from './handler-definition.js';
import type { RetryPolicy } from './settlement.js';

/** A durable consumer with every choice made. */
export interface DurableConsumer {
  readonly kind: Exclude<MessageKind, 'rpc'>;
  readonly stream: string;
  readonly durable: string;
  readonly filterSubject: string;
  readonly concurrency: number;
  readonly ackWaitMs: number;
  readonly retry: RetryPolicy;
}

const BACKOFF_MS = [1_000, 5_000, 30_000];

export function durableConsumer(
  definition: Exclude<HandlerDefinition, { kind: 'rpc' }>,
  defaultPlacement: Placement,
): DurableConsumer {
  const { kind, options } = definition;
  switch (kind) {
    case 'event':
      return {
        ...common(options, 30_000, 5),
        kind,
        stream: STREAMS.events.name,
        // One name for all that a service follows: each kind of event has a consumer of its own under it.
        durable: subjectToken(`${options.durable}-${definition.contract.subject.split('.').at(-1) ?? ''}`),
        filterSubject: `${definition.contract.subject}.*`,
      };
    case 'job': {
      const placement = definition.options.placement ?? defaultPlacement;
      return {
        ...common(options, 15_000, Infinity),
        kind,
        stream: STREAMS.jobs.name,
        durable: subjectToken(`${options.durable}-${placement}`),
        filterSubject: `${definition.contract.subject}.${placement}.*`,
      };
    }
    case 'predictions':
      return {
        ...common(options, 30_000, 20),
        kind,
        stream: STREAMS.predictions.name,
        durable: subjectToken(options.durable),
        filterSubject: `${SUBJECT_ROOT}.predictions.>`,
      };
  }
}

function common(
  options: DurableOptions,
  ackWaitMs: number,
  maxDeliver: number,
): Pick<DurableConsumer, 'concurrency' | 'ackWaitMs' | 'retry'> {
  return {
    concurrency: options.concurrency ?? 1,
    ackWaitMs: options.ackWaitMs ?? ackWaitMs,
    retry: { maxDeliver: options.maxDeliver ?? maxDeliver, backoffMs: options.backoffMs ?? BACKOFF_MS },
  };
}

/**
 * Creates the consumer, or brings it up to date. The server's own limit of deliveries is off: at its limit the server goes
 * silent about a message (in a work queue it stays for ever), while the settlement sets it aside with a reason.
 */
export async function ensureConsumer(
  connection: NatsConnection,
  consumer: DurableConsumer,
  signal: AbortSignal,
): Promise<void> {
  const config: Partial<ConsumerConfig> = {
    durable_name: consumer.durable,
    filter_subject: consumer.filterSubject,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(consumer.ackWaitMs),
    max_deliver: -1,
  };
  await throughOutages(
    async () => {
      const manager = await streamManager(connection);
      try {
        await manager.consumers.add(consumer.stream, config);
      } catch (error) {
        if (!isJetStreamError(error, JS_ERROR.consumerExists)) throw error;
        await manager.consumers.update(consumer.stream, consumer.durable, config);
      }
    },
    { what: `create the consumer ${consumer.durable} of ${consumer.stream}`, signal },
  );
}
