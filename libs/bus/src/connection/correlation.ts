import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { CORRELATION_HEADER } from '@fidelis/contracts';
import { headers, type MsgHdrs } from '@nats-io/transport-node';

const correlation = new AsyncLocalStorage<string>();

/** Everything that `work` sends over the bus carries this id, unless it names another. */
export function withCorrelationId<Result>(correlationId: string, work: () => Result): Result {
  return correlation.run(correlationId, work);
}

/** Id of the request that is being worked on: of the message that a handler has, or of withCorrelationId. */
export function activeCorrelationId(): string | undefined {
  return correlation.getStore();
}

/** Headers of an outgoing message: the given id, else the active one, else a new one. */
export function correlatedHeaders(correlationId?: string): MsgHdrs {
  const result = headers();
  result.set(CORRELATION_HEADER, correlationId ?? activeCorrelationId() ?? randomUUID());
  return result;
}

export function correlationIdOf(received: MsgHdrs | undefined): string {
  const id = received?.get(CORRELATION_HEADER);
  return id === undefined || id === '' ? randomUUID() : id;
}
