import { FidelisError, logitStreamName } from '@fidelis/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { isJetStreamError, JS_ERROR } from '../connection/bus-error.js';
import { streamManager } from '../connection/jetstream-clients.js';

interface Usage {
  readonly usedBytes: number;
  /** Absent where the limit is the server's own, which it does not tell. */
  readonly limitBytes?: number;
}

/** Adds to STREAM.QUOTA how much is used of what, as far as the server says so; any other error is passed on as it is. */
export async function withQuotaDetails<Result>(
  connection: NatsConnection,
  key: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!FidelisError.is(error) || error.code !== 'STREAM.QUOTA') throw error;
    const usage = await usageOf(connection, key, error).catch(() => undefined);
    throw new FidelisError('STREAM.QUOTA', `${error.message}${usage === undefined ? '' : inWords(usage)}`, {
      details: { ...error.details, key, ...usage },
      cause: error.cause,
      retryable: error.retryable,
    });
  }
}

/** Of the limit that was reached: the stream's own, or that of the account. */
async function usageOf(connection: NatsConnection, key: string, { cause }: FidelisError): Promise<Usage> {
  const manager = await streamManager(connection);
  if (isJetStreamError(cause, JS_ERROR.storeFailed)) {
    const { config, state } = await manager.streams.info(logitStreamName(key));
    return usage(state.bytes, config.max_bytes);
  }
  const { storage, limits } = await manager.getAccountInfo();
  return usage(storage, limits.max_storage);
}

/** −1 is JetStream's "without limit". */
function usage(usedBytes: number, limitBytes: number): Usage {
  return limitBytes > 0 ? { usedBytes, limitBytes } : { usedBytes };
}

function inWords({ usedBytes, limitBytes }: Usage): string {
  return ` (used: ${usedBytes} bytes${limitBytes === undefined ? '' : ` of ${limitBytes}`})`;
}
