import { FidelisError, type LogitFrame } from '@fidelis/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { checkedFrame } from './checked-frame.js';
import { OrderedReader } from './ordered-reader.js';

export interface ReadOptions {
  /** Of each step. */
  readonly parts: number;
  /** First step to deliver: one after the checkpoint's. */
  readonly fromStep: number;
  /** Step to stop before. @default without end */
  readonly toStep?: number | undefined;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** After this much silence the reader looks whether the frames that it waits for can still come; at least 1,000. @default 5,000 */
  readonly silenceMs?: number | undefined;
}

/** Frames under way at a time: 16 MiB with parts of the largest size. */
const BATCH = 32;
const SILENCE_MS = 5_000;

/** See LogitLog.read. */
export async function* readFrames(
  connection: NatsConnection,
  key: string,
  options: ReadOptions,
): AsyncGenerator<LogitFrame> {
  const { parts, toStep = Infinity, signal, silenceMs = SILENCE_MS } = options;
  const reader = new OrderedReader(connection, { key, silenceMs, signal });
  const end = toStep * parts;
  try {
    for (let sequence = options.fromStep * parts + 1; sequence <= end; sequence++) {
      const delivery = await reader.next(sequence, Math.min(BATCH, end - sequence + 1));
      if (delivery === undefined) return;
      yield checkedFrame(delivery, { key, parts, sequence });
    }
  } catch (error) {
    if (signal?.aborted !== true || (FidelisError.is(error) && error.code !== 'BUS.UNAVAILABLE')) throw error;
  } finally {
    await reader.close();
  }
}
