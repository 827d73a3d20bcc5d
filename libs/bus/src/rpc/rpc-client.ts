import { setTimeout as sleep } from 'node:timers/promises';
import { FidelisError, parseStrict, parseTolerant, type RpcContract } from '@fidelis/contracts';
import { RequestError, TimeoutError, type Msg, type NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { busError, isClosed, isNoResponders } from '../connection/bus-error.js';
import { correlatedHeaders } from '../connection/correlation.js';
import { decodeJson, encodeJson } from '../connection/json-wire.js';
import { decodeRpcError, RPC_ERROR_HEADER } from './rpc-wire.js';

export interface RpcCallOptions {
  /** @default the id of the message that is being handled, else a new one */
  readonly correlationId?: string | undefined;
  /** Over all attempts. @default the contract's */
  readonly timeoutMs?: number | undefined;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;

export class RpcClient {
  constructor(private readonly connection: NatsConnection) {}

  /**
   * Asks whichever instance of the service is free. While no instance is there (it restarts), the call is tried again until its
   * time is up. A request that was sent and got no answer is not sent twice.
   *
   * @throws FidelisError REQUEST.INVALID before anything is sent, where the request is not the contract's; the other side's error as
   *   it was there; BUS.UNAVAILABLE where nobody answers to the subject; BUS.TIMEOUT where somebody may, but did not in time
   */
  async call<Request extends z.ZodType, Response extends z.ZodType>(
    contract: RpcContract<Request, Response>,
    request: z.input<Request>,
    options: RpcCallOptions = {},
  ): Promise<z.output<Response>> {
    const body = encodeJson(parseStrict(contract.request, request));
    const headers = correlatedHeaders(options.correlationId);
    const timeoutMs = options.timeoutMs ?? contract.timeoutMs;
    const deadline = performance.now() + timeoutMs;
    for (let attempt = 0; ; attempt++) {
      const remainingMs = deadline - performance.now();
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
      try {
        const answer = await this.connection.request(contract.subject, body, {
          timeout: Math.max(1, remainingMs),
          headers,
        });
        return readAnswer(contract, answer);
      } catch (error) {
        if (FidelisError.is(error)) throw error;
        const nobodyThere = isNoResponders(error);
        if (!nobodyThere) throw callError(error, contract.subject, timeoutMs);
        if (remainingMs <= pauseMs) {
          throw new FidelisError(
            'BUS.UNAVAILABLE',
            `no service answered to ${contract.subject} for ${timeoutMs} ms; is it running?`,
            { cause: error },
          );
        }
      }
      await sleep(pauseMs);
    }
  }
}

function readAnswer<Response extends z.ZodType>(
  contract: RpcContract<z.ZodType, Response>,
  answer: Msg,
): z.output<Response> {
  if (answer.headers?.has(RPC_ERROR_HEADER) === true) throw decodeRpcError(answer.data);
  try {
    return parseTolerant(contract.response, decodeJson(answer.data));
  } catch (cause) {
    throw new FidelisError(
      'INTERNAL',
      `the answer to ${contract.subject} is not what its contract says: ${FidelisError.from(cause).message}`,
      { cause },
    );
  }
}

function callError(error: unknown, subject: string, timeoutMs: number): FidelisError {
  const timedOut =
    error instanceof TimeoutError || (error instanceof RequestError && error.cause instanceof TimeoutError);
  if (timedOut && !isClosed(error)) {
    return new FidelisError('BUS.TIMEOUT', `no answer from ${subject} within ${timeoutMs} ms`, {
      cause: error,
    });
  }
  return busError(error, `call ${subject}`);
}
