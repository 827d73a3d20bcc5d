import { FidelisError, parseStrict, parseTolerant, type RpcContract } from '@fidelis/contracts';
import { headers, type Msg, type Subscription } from '@nats-io/transport-node';
import { correlationIdOf } from '../connection/correlation.js';
import { decodeJson, encodeJson } from '../connection/json-wire.js';
import { RPC_ERROR_HEADER } from '../rpc/rpc-wire.js';
import { headerMap } from './header-map.js';
import type { MessageContext } from './message-context.js';
import { inMessageScope, type ServerEnvironment } from './server-environment.js';

/** Instances of one service form one queue group per subject: each call reaches one of them. */
const QUEUE_GROUP = 'fidelis-rpc';

export type RpcHandler = (request: unknown, context: MessageContext) => Promise<unknown>;

/** Answers the calls of one contract. */
export class RpcResponder {
  private readonly inFlight = new Set<Promise<void>>();
  private readonly subscription: Subscription;

  constructor(
    private readonly environment: ServerEnvironment,
    private readonly contract: RpcContract,
    private readonly handle: RpcHandler,
  ) {
    this.subscription = environment.connection.subscribe(contract.subject, {
      queue: QUEUE_GROUP,
      callback: (error, message) => {
        if (error !== null) {
          environment.log.error('rpc subscription failed', {
            subject: contract.subject,
            reason: error.message,
          });
          return;
        }
        const answer = this.answer(message).finally(() => this.inFlight.delete(answer));
        this.inFlight.add(answer);
      },
    });
  }

  /** Takes no more calls, and answers those that have come. */
  async drain(): Promise<void> {
    if (!this.subscription.isClosed()) await this.subscription.drain().catch(() => undefined);
    await Promise.all(this.inFlight);
  }

  private async answer(message: Msg): Promise<void> {
    const { environment, contract } = this;
    const startedAt = performance.now();
    let failure: FidelisError | undefined;
    try {
      const result = await this.execute(message);
      message.respond(result);
    } catch (thrown) {
      failure = FidelisError.from(thrown);
      this.respondError(message, failure);
    }
    const outcome = failure === undefined ? 'done' : 'error';
    environment.observer.messageHandled?.('rpc', outcome, (performance.now() - startedAt) / 1_000);
    if (failure === undefined) return;
    environment.log.warn('rpc answered with an error', {
      subject: contract.subject,
      correlationId: correlationIdOf(message.headers),
      code: failure.code,
      error: failure,
    });
  }

  private async execute(message: Msg): Promise<Uint8Array> {
    const { environment, contract } = this;
    const context: MessageContext = {
      subject: message.subject,
      headers: headerMap(message.headers),
      correlationId: correlationIdOf(message.headers),
      deliveryCount: 1,
      streamSequence: 0,
      fencingToken: 0,
      working: () => undefined,
      signal: environment.late,
    };
    const request = parseTolerant(contract.request, decodeJson(message.data));
    const result = await inMessageScope(environment, context, () => this.handle(request, context));
    return encodeJson(parseStrict(contract.response, result, 'INTERNAL'));
  }

  private respondError(message: Msg, error: FidelisError): void {
    const { environment, contract } = this;
    if (error.code === 'INTERNAL') {
      environment.log.error('rpc failed', { subject: contract.subject, error });
    }
    const errorHeaders = headers();
    errorHeaders.set(RPC_ERROR_HEADER, error.code);
    try {
      message.respond(encodeJson(error.toWire()), { headers: errorHeaders });
    } catch (cause) {
      environment.log.error('an rpc could not be answered', { subject: contract.subject, error: cause });
    }
  }
}
