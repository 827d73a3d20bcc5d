import { describe, expect, it } from 'vitest';
import { scaleInputs } from './scaling.js';

describe('scaleInputs', () => {
  it('maps 0…255 onto [−1, 1] in single precision, operation by operation', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const work = new Float32Array(1);
    const expected = Float32Array.from(bytes, (byte) => {
      work[0] = byte / 255;
      work[0] = (work[0] ?? 0) * 2;
      work[0] = (work[0] ?? 0) - 1;
      return work[0] ?? 0;
    });
    const scaled = scaleInputs(bytes);
    expect(scaled).toEqual(expected);
    expect(scaled[0]).toBe(-1);
    expect(scaled[255]).toBe(1);
  });

  it('gives a new array every time', () => {
    const bytes = Uint8Array.of(1, 2);
    const first = scaleInputs(bytes);
    first[0] = 5;
    expect(scaleInputs(bytes)[0]).not.toBe(5);
  });
});
