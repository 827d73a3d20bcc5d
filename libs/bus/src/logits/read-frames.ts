import { FidelisError, type FrameHeader } from '@fidelis/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { checkedFrame } from './checked-frame.js';
import { OrderedReader, type FrameLoss } from './ordered-reader.js';

/** A frame of a log, and how long the log has it. Not everybody who reads frames wants their values: `decodeFrame` reads them. */
export interface StoredFrame extends FrameHeader {
  /** The whole frame as it is on the bus. */
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970, of the server's clock. */
  readonly storedAtMs: number;
}

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
  /**
   * What to do where a step is gone, or the whole log: `wait` until it is there again, since a teacher produces anew what a run needs.
   * @default 'fail'
   */
  readonly onGone?: 'fail' | 'wait' | undefined;
  /** How long `wait` waits for each; then it is the error, which can be retried. @default 120,000 */
  readonly goneLimitMs?: number | undefined;
  /** Called once for each time that the reader stands before something that is gone. */
  readonly onLoss?: ((loss: FrameLoss) => void) | undefined;
}

/** Frames under way at a time: 16 MiB with parts of the largest size. */
const BATCH = 32;
const SILENCE_MS = 5_000;
const GONE_LIMIT_MS = 120_000;

/** See LogitLog.read. */
export async function* readFrames(
  connection: NatsConnection,
  key: string,
  options: ReadOptions,
): AsyncGenerator<StoredFrame> {
  const { parts, toStep = Infinity, signal, silenceMs = SILENCE_MS, onLoss } = options;
  const goneLimitMs = options.onGone === 'wait' ? (options.goneLimitMs ?? GONE_LIMIT_MS) : 0;
  const reader = new OrderedReader(connection, { key, parts, silenceMs, signal, goneLimitMs, onLoss });
  const end = toStep * parts;
  try {
    for (let sequence = options.fromStep * parts + 1; sequence <= end; sequence++) {
      const delivery = await reader.next(sequence, Math.min(BATCH, end - sequence + 1));
      if (delivery === undefined) return;
      const { data: bytes, storedAtMs } = delivery;
      yield { ...checkedFrame(delivery, { key, parts, sequence }), bytes, storedAtMs };
    }
  } catch (error) {
    if (signal?.aborted !== true || (FidelisError.is(error) && error.code !== 'BUS.UNAVAILABLE')) throw error;
  } finally {
    await reader.close();
  }
}
