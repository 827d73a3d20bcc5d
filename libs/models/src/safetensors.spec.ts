import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

const tensor = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 3 }))
  .chain(([rows, columns]) =>
    fc.record({
      shape: fc.constant([rows, columns]),
      values: fc.float32Array({ minLength: rows * columns, maxLength: rows * columns }),
    }),
  );

describe('safetensors', () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(
        fc.array(tensor, { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.string()),
        (tensors, metadata) => {
          const content = { tensors: tensors.map((t, i) => ({ name: `layer.${i}`, ...t })), metadata };
          const decoded = decodeSafetensors(encodeSafetensors(content));
          expect({ ...decoded, metadata: { ...decoded.metadata } }).toEqual({
            ...content,
            metadata: { ...metadata },
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is laid out as the format says', () => {
    const bytes = encodeSafetensors({
      tensors: [{ name: 'a', shape: [2], values: new Float32Array([1, -2]) }],
      metadata: { step: '3' },
    });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      __metadata__: { step: '3' },
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    });
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  });

  it('refuses what is not safetensors', () => {
    const whole = encodeSafetensors({
      tensors: [{ name: 'a', shape: [2], values: new Float32Array(2) }],
      metadata: {},
    });
    const broken = [
      whole.subarray(0, 4),
      whole.subarray(0, whole.length - 1),
      Uint8Array.from(whole, (byte, i) => (i === 7 ? 0xff : byte)),
      Uint8Array.from(whole, (byte, i) => (i === 8 ? 0x5b : byte)),
    ];
    for (const bytes of broken) {
      expect(() => decodeSafetensors(bytes)).toThrow(
        expect.objectContaining({ code: 'WEIGHTS.INVALID' }) as Error,
      );
    }
  });

  it('refuses other number formats by name', () => {
    const json = new TextEncoder().encode('{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}');
    const bytes = new Uint8Array(8 + json.length + 2);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
    bytes.set(json, 8);
    expect(() => decodeSafetensors(bytes)).toThrow('tensor "a" is F16, not F32');
  });
});
