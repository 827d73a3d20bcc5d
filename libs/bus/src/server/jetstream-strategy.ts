import { setTimeout as sleep } from 'node:timers/promises';
import { EVALUATION_HEADER, FidelisError, parseTolerant } from '@fidelis/contracts';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import type { NatsConnection } from '@nats-io/transport-node';
import { isObservable, lastValueFrom } from 'rxjs';
import { silentLog, type BusLog } from '../connection/bus-log.js';
import type { BusObserver } from '../connection/bus-observer.js';
import { ConnectionWatch } from '../connection/connection-watch.js';
import { decodeJson } from '../connection/json-wire.js';
import type { Placement } from '@fidelis/contracts';
import { decodePrediction } from '../predictions/prediction-message.js';
import type { Delivery } from '../pull/delivery.js';
import { DeadLetters } from '../dead-letters/dead-letters.js';
import { durableConsumer } from './durable-consumer.js';
import { DurableWorker } from './durable-worker.js';
import { HANDLER_EXTRA, type HandlerDefinition } from './handler-definition.js';
import type { MessageContext } from './message-context.js';
import { RpcResponder } from './rpc-responder.js';
import type { AroundHandler, ServerEnvironment } from './server-environment.js';
import { BUS_TRANSPORT } from './transport.js';

export interface JetStreamStrategyOptions {
  readonly connection: NatsConnection;
  readonly log?: BusLog | undefined;
  readonly observer?: BusObserver | undefined;
  /** Whose jobs are taken where a handler names no placement. @default 'cpu' */
  readonly placement?: Placement | undefined;
  /** Time for the messages in hand when the process stops. @default 10,000 */
  readonly drainGraceMs?: number | undefined;
  readonly around?: AroundHandler | undefined;
}

const DRAIN_GRACE_MS = 10_000;
/** Between the abort of the handlers and the end of the wait for them. */
const ABORT_GRACE_MS = 2_000;

/**
 * Nest's transport over NATS: rpc over core NATS in a queue group, events, jobs and predictions by pull consumers.
 *
 * The connection is the one of BusModule, which also closes it, after this:
 *
 *     const app = await NestFactory.create(AppModule, …);
 *     app.connectMicroservice({ strategy: app.get(JetStreamStrategy) }, { inheritAppConfig: true });
 *     await app.startAllMicroservices();
 *
 * A handler's outcome settles its message. Success: acknowledged. A retryable FidelisError, or an error that is none: given back and
 * delivered again after a wait, at most `maxDeliver` times. Another FidelisError, a message that is not its contract, the last
 * delivery: to FIDELIS_DEAD with its reason. DATABASE.UNAVAILABLE and BUS.UNAVAILABLE: kept and handled again here until it works.
 * RUN.LEASE_LOST: left alone, since another one has the message now; if nobody has, it is delivered again after ack_wait.
 */
export class JetStreamStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = BUS_TRANSPORT;
  private readonly drainController = new AbortController();
  private readonly lateController = new AbortController();
  private readonly environment: ServerEnvironment;
  private readonly responders: RpcResponder[] = [];
  private readonly workers: DurableWorker[] = [];
  private watch: ConnectionWatch | undefined;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: JetStreamStrategyOptions) {
    super();
    this.environment = {
      connection: options.connection,
      log: options.log ?? silentLog,
      observer: options.observer ?? {},
      around: options.around ?? ((_, next) => next()),
      draining: this.drainController.signal,
      late: this.lateController.signal,
    };
  }

  /** @throws FidelisError INTERNAL where two handlers have the same contract and durable */
  override addHandler(
    pattern: string,
    callback: MessageHandler,
    isEvent?: boolean,
    extras?: Record<string, unknown>,
  ): void {
    if (this.messageHandlers.has(pattern)) {
      throw new FidelisError('INTERNAL', `two handlers for ${pattern}: give the second another durable`);
    }
    super.addHandler(pattern, callback, isEvent, extras);
  }

  listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  /**
   * Drains in order: no more messages are taken and jobs are told to stop; then what is in hand is finished and settled; what is
   * not finished in time is told to stop as well, and is delivered again elsewhere.
   */
  close(): Promise<void> {
    this.closing ??= this.drain();
    return this.closing;
  }

  on(): never {
    throw new FidelisError('INTERNAL', 'this transport has no events; pass a BusObserver');
  }

  unwrap<Connection = NatsConnection>(): Connection {
    return this.options.connection as Connection;
  }

  private async start(): Promise<void> {
    const deadLetters = new DeadLetters(this.options.connection);
    this.watch = new ConnectionWatch(this.options.connection);
    for (const handler of this.messageHandlers.values()) {
      const definition = definitionOf(handler);
      if (definition === undefined) continue;
      if (definition.kind === 'rpc') {
        const call = (request: unknown, context: MessageContext): Promise<unknown> =>
          invoke(handler, request, context);
        this.responders.push(new RpcResponder(this.environment, definition.contract, call));
        continue;
      }
      const consumer = durableConsumer(definition, this.options.placement ?? 'cpu');
      const handle = async (delivery: Delivery, context: MessageContext): Promise<void> => {
        await invoke(handler, decode(definition, delivery, context), context);
      };
      const worker = new DurableWorker(this.environment, this.watch, deadLetters, consumer, handle);
      this.workers.push(worker);
      await worker.start();
    }
    // The calls can be answered when the server knows the subscriptions.
    await this.options.connection.flush();
  }

  private async drain(): Promise<void> {
    const stopping = new FidelisError('BUS.UNAVAILABLE', 'this process is stopping; another one goes on');
    this.drainController.abort(stopping);
    const drained = Promise.all([
      ...this.responders.map((responder) => responder.drain()),
      ...this.workers.map((worker) => worker.drain()),
    ]);
    const inTime = await Promise.race([
      drained.then(() => true),
      waitFalse(this.options.drainGraceMs ?? DRAIN_GRACE_MS),
    ]);
    if (!inTime) {
      this.environment.log.warn('handlers did not finish in time and are told to stop');
      this.lateController.abort(stopping);
      await Promise.race([drained, waitFalse(ABORT_GRACE_MS)]);
    }
    this.watch?.close();
  }
}

function definitionOf(handler: MessageHandler): HandlerDefinition | undefined {
  return handler.extras?.[HANDLER_EXTRA] as HandlerDefinition | undefined;
}

function decode(
  definition: Exclude<HandlerDefinition, { kind: 'rpc' }>,
  delivery: Delivery,
  context: MessageContext,
): unknown {
  if (definition.kind === 'predictions') {
    return decodePrediction(context.headers.get(EVALUATION_HEADER), delivery.data);
  }
  return parseTolerant(definition.contract.schema, decodeJson(delivery.data));
}

async function invoke(handler: MessageHandler, payload: unknown, context: MessageContext): Promise<unknown> {
  const result: unknown = await handler(payload, context);
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}

async function waitFalse(milliseconds: number): Promise<false> {
  return sleep(milliseconds, false as const, { ref: false });
}
