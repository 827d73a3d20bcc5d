import { encodeFrame, FidelisError, type LogitFrame } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { framesOfBody } from './frame-body.js';

const frame = (step: number): LogitFrame => ({
  ...{
    codec: 'f32',
    part: 0,
    parts: 1,
    streamKey: '0123456789abcdef',
    step,
    rows: 2,
    members: 1,
    classes: 3,
  },
  inputDigest: 'fedcba9876543210',
  values: Float32Array.from([1, 2, 3, 4, 5, step]),
});

function record(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(4 + bytes.length);
  new DataView(whole.buffer).setUint32(0, bytes.length, true);
  whole.set(bytes, 4);
  return whole;
}

const END = record(new Uint8Array(0));
const encoder = new TextEncoder();

/** In pieces of so many bytes, as a network cuts them. */
async function* inPieces(records: readonly Uint8Array[], size: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.concat(records);
  for (let at = 0; at < all.length; at += size) {
    await Promise.resolve();
    yield Uint8Array.from(all.subarray(at, at + size));
  }
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<LogitFrame[]> {
  const frames: LogitFrame[] = [];
  for await (const one of framesOfBody(body)) frames.push(one);
  return frames;
}

describe('framesOfBody', () => {
  const frames = [frame(0), frame(1), frame(2)];
  const records = frames.map((one) => record(encodeFrame(one)));

  it.each([1, 3, 7, 64, 10_000])(
    'reads the frames, however they are cut: %i bytes at a time',
    async (size) => {
      expect(await collect(inPieces([...records, END], size))).toEqual(frames);
    },
  );

  it('takes a body without its end for one that was cut off', async () => {
    await expect(collect(inPieces(records, 10))).rejects.toMatchObject({ code: 'GATEWAY.UNAVAILABLE' });
    await expect(collect(inPieces([...records, END.subarray(0, 3)], 10))).rejects.toBeInstanceOf(
      FidelisError,
    );
  });

  it('throws what went wrong on the other side, after the frames that came before', async () => {
    const wire = new FidelisError('STREAM.GONE', 'step 2 is gone', { details: { step: 2 } }).toWire();
    const body = inPieces([...records, record(encoder.encode(JSON.stringify(wire)))], 50);
    const seen: number[] = [];
    await expect(async () => {
      for await (const { step } of framesOfBody(body)) seen.push(step);
    }).rejects.toMatchObject({ code: 'STREAM.GONE', details: { step: 2 } });
    expect(seen).toEqual([0, 1, 2]);
  });
});
