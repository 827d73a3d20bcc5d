import type { NatsConnection } from '@nats-io/transport-node';
import type { BusLog } from '../connection/bus-log.js';
import type { BusObserver } from '../connection/bus-observer.js';
import { withCorrelationId } from '../connection/correlation.js';
import type { MessageContext } from './message-context.js';

/** Wraps the handling of each message: for the log context of a service. */
export type AroundHandler = <Result>(context: MessageContext, next: () => Promise<Result>) => Promise<Result>;

/** What every part of the server shares. */
export interface ServerEnvironment {
  readonly connection: NatsConnection;
  readonly log: BusLog;
  readonly observer: BusObserver;
  readonly around: AroundHandler;
  /** Aborts when the drain begins: no more messages are taken, jobs should stop. */
  readonly draining: AbortSignal;
  /** Aborts when the time of the drain is over. */
  readonly late: AbortSignal;
}

/** Runs a handler with what its message brings along. */
export function inMessageScope<Result>(
  environment: ServerEnvironment,
  context: MessageContext,
  handle: () => Promise<Result>,
): Promise<Result> {
  return withCorrelationId(context.correlationId, () => environment.around(context, handle));
}
