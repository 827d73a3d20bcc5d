import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FidelisError } from './errors.js';
import {
  CODEC_BYTES,
  CODECS,
  decodeFrame,
  decodeFrameHeader,
  encodeFrame,
  FRAME_HEADER_BYTES,
  MAX_PART_BYTES,
  partition,
  throughCodec,
  type LogitFrame,
} from './logit-frame.js';

const small: LogitFrame = {
  codec: 'f32',
  part: 1,
  parts: 3,
  streamKey: '0123456789abcdef',
  step: 70_000,
  rows: 2,
  members: 1,
  classes: 2,
  inputDigest: 'fedcba9876543210',
  values: Float32Array.of(1, -2, 0.5, 65_504),
};

function golden(codec: string): string {
  const text = readFileSync(new URL(`../fixtures/logit-frame.${codec}.hex`, import.meta.url), 'utf8');
  return text.replace(/#.*|\s/g, '');
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function refusalOf(bytes: Uint8Array): FidelisError {
  try {
    decodeFrame(bytes);
  } catch (error) {
    if (FidelisError.is(error)) return error;
    throw error;
  }
  throw new Error('the frame was accepted');
}

const frames = fc
  .record({
    codec: fc.constantFrom(...CODECS),
    parts: fc.integer({ min: 1, max: 65_535 }),
    step: fc.integer({ min: 0, max: 0xffffffff }),
    rows: fc.integer({ min: 0, max: 5 }),
    members: fc.integer({ min: 1, max: 3 }),
    classes: fc.integer({ min: 1, max: 4 }),
    streamKey: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    inputDigest: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      part: fc.integer({ min: 0, max: shape.parts - 1 }),
      values: fc.float32Array({
        minLength: shape.rows * shape.members * shape.classes,
        maxLength: shape.rows * shape.members * shape.classes,
      }),
    }),
  )
  .map(({ shape, part, values }): LogitFrame => {
    const id = (value: bigint): string => value.toString(16).padStart(16, '0');
    return {
      ...shape,
      part,
      values,
      streamKey: id(shape.streamKey),
      inputDigest: id(shape.inputDigest),
    };
  });

describe('logit frames', () => {
  it.each(CODECS)('have exactly the bytes of the committed frame in %s', (codec) => {
    expect(hex(encodeFrame({ ...small, codec }))).toBe(golden(codec));
    expect(decodeFrame(Buffer.from(golden(codec), 'hex'))).toEqual({ ...small, codec });
  });

  it('survive the wire with their header, and values as the codec leaves them', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(decodeFrame(encodeFrame(frame))).toEqual({
          ...frame,
          values: throughCodec(frame.values, frame.codec),
        });
      }),
    );
  });

  it('say what they are without their values being read', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const { values: _values, ...header } = frame;
        expect(decodeFrameHeader(encodeFrame(frame))).toEqual(header);
      }),
    );
  });

  it('are read wherever their bytes lie in a buffer', () => {
    const bytes = encodeFrame(small);
    const buffer = new Uint8Array(bytes.length + 7);
    buffer.set(bytes, 3);
    expect(decodeFrame(buffer.subarray(3, 3 + bytes.length))).toEqual(small);
  });

  it('are not written where values and shape differ', () => {
    expect(() => encodeFrame({ ...small, rows: 3 })).toThrow(/3×1×2 needs 6 values, got 4/);
  });

  it('are refused wherever they were cut', () => {
    const bytes = encodeFrame(small);
    for (let length = 0; length < bytes.length; length++) {
      expect(refusalOf(bytes.subarray(0, length)).code).toBe('FRAME.INVALID');
      expect(() => decodeFrameHeader(bytes.subarray(0, length))).toThrow(FidelisError);
    }
  });

  it('are refused with bytes after them', () => {
    const bytes = Uint8Array.of(...encodeFrame(small), 0);
    expect(refusalOf(bytes)).toMatchObject({ code: 'FRAME.INVALID', details: { bytes: bytes.length } });
  });

  it.each([
    ['something else than a frame', 0, 'X'.charCodeAt(0), /magic/],
    ['another version', 4, 2, /version 2 is not 1/],
    ['an unknown codec', 5, 9, /codec 9 is unknown/],
    ['a part beyond the parts', 6, 3, /part 3 of 3/],
    ['another number of rows', 22, 3, /needs \d+ bytes/],
  ])('are refused as %s', (_, offset, value, message) => {
    const bytes = encodeFrame(small);
    bytes[offset] = value;
    const refusal = refusalOf(bytes);
    expect(refusal.code).toBe('FRAME.INVALID');
    expect(refusal.message).toMatch(message);
  });

  it('never make anything but a frame or FRAME.INVALID of any bytes', () => {
    const header = encodeFrame(small).subarray(0, FRAME_HEADER_BYTES);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (noise, framed) => {
        const bytes = framed ? Uint8Array.of(...header, ...noise) : noise;
        try {
          decodeFrame(bytes);
        } catch (error) {
          expect(FidelisError.is(error) && error.code).toBe('FRAME.INVALID');
        }
      }),
    );
  });
});

describe('throughCodec', () => {
  it('leaves f32 alone and rounds f16', () => {
    const values = Float32Array.of(0.1, 1, 1e6);
    expect(throughCodec(values, 'f32')).toBe(values);
    expect([...throughCodec(values, 'f16')]).toEqual([0.0999755859375, 1, Infinity]);
  });
});

describe('partition', () => {
  it('keeps what fits in one part', () => {
    expect(partition(1_024, 1, 10, 'f16')).toEqual({ parts: 1, partRows: 1_024 });
  });

  it('covers all rows with parts that fit, and no empty one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200_000 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 1_000 }),
        fc.constantFrom(...CODECS),
        (rows, members, classes, codec) => {
          const { parts, partRows } = partition(rows, members, classes, codec);
          expect(partRows * members * classes * CODEC_BYTES[codec]).toBeLessThanOrEqual(MAX_PART_BYTES);
          expect(parts * partRows).toBeGreaterThanOrEqual(rows);
          expect((parts - 1) * partRows).toBeLessThan(rows);
        },
      ),
    );
  });

  it('refuses rows that no message can hold', () => {
    expect(() => partition(1, 10, 100_000, 'f32')).toThrow(/exceeds 524288 bytes/);
  });
});
