import { FidelisError } from '@fidelis/contracts';
import { JetStreamApiError } from '@nats-io/jetstream';
import {
  ClosedConnectionError,
  DrainingConnectionError,
  NoRespondersError,
  RequestError,
  TimeoutError,
} from '@nats-io/transport-node';

/** Numbers of JetStream's own errors (https://github.com/nats-io/nats-server/blob/main/server/errors.json). */
export const JS_ERROR = {
  accountResourcesExceeded: 10002,
  /** It is just being removed. */
  streamInvalid: 10096,
  consumerNotFound: 10014,
  insufficientResources: 10023,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  storeFailed: 10077,
  subjectsOverlap: 10065,
  wrongLastSequence: 10071,
  noMessageFound: 10037,
  sequenceNotFound: 10043,
  storageExceeded: 10047,
  consumerExists: 10148,
} as const;

/** No room: the account's limit, the server's, that of its disk, or the stream's own. */
const QUOTA_ERRORS: readonly number[] = [
  JS_ERROR.accountResourcesExceeded,
  JS_ERROR.insufficientResources,
  JS_ERROR.storageExceeded,
  JS_ERROR.storeFailed,
];

export function isJetStreamError(error: unknown, ...codes: readonly number[]): error is JetStreamApiError {
  return error instanceof JetStreamApiError && codes.includes(error.code);
}

export function isClosed(error: unknown): boolean {
  return (
    error instanceof ClosedConnectionError ||
    error instanceof DrainingConnectionError ||
    (error instanceof Error && (isClosed(error.cause) || error.message === 'closed connection'))
  );
}

export function isNoResponders(error: unknown): boolean {
  if (error instanceof NoRespondersError) return true;
  if (error instanceof RequestError) return error.isNoResponders();
  return error instanceof Error && isNoResponders(error.cause);
}

/**
 * True where the same request may succeed once the server is back: no answer, a connection that broke in between, a
 * JetStream that is still starting. Whether the lost request took effect is unknown.
 */
export function isOutage(error: unknown): boolean {
  if (isClosed(error)) return false;
  if (error instanceof TimeoutError || error instanceof RequestError || isNoResponders(error)) return true;
  if (isJetStreamError(error, JS_ERROR.streamInvalid)) return true;
  if (error instanceof JetStreamApiError) {
    return error.status === 503 && !QUOTA_ERRORS.includes(error.code);
  }
  // The client's own class for "nobody answers the JetStream API" is not exported.
  return error instanceof Error && (error.name === 'JetStreamNotEnabled' || error.name === 'TimeoutError');
}

/** Any error of the client library as a FidelisError that says what could not be done. */
export function busError(error: unknown, what: string): FidelisError {
  if (FidelisError.is(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (isClosed(error)) {
    return new FidelisError(
      'BUS.UNAVAILABLE',
      `cannot ${what}: this process has closed its connection to NATS`,
      {
        cause: error,
      },
    );
  }
  if (isOutage(error)) {
    return new FidelisError('BUS.UNAVAILABLE', `cannot ${what}: NATS does not answer (${reason})`, {
      cause: error,
    });
  }
  if (isJetStreamError(error, JS_ERROR.streamNotFound)) {
    return new FidelisError('STREAM.NOT_FOUND', `cannot ${what}: the stream does not exist`, {
      cause: error,
    });
  }
  if (isJetStreamError(error, ...QUOTA_ERRORS)) {
    return new FidelisError(
      'STREAM.QUOTA',
      `cannot ${what}: the storage of NATS is full (${reason}); free room with "fidelis gc", or raise the limit: ` +
        "JetStream's own, and FIDELIS_STREAM_QUOTA_BYTES for all logit streams",
      { cause: error },
    );
  }
  return new FidelisError('INTERNAL', `cannot ${what}: ${reason}`, { cause: error });
}
