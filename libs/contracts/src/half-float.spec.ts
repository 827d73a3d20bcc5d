import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHalf, encodeHalf } from './half-float.js';

const NAN_BITS = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;

/** All finite halves in ascending order: the rounding below searches them, and knows nothing of mantissas. */
const finite = Array.from({ length: 65_536 }, (_, bits) => bits)
  .filter((bits) => (bits & 0x7c00) !== 0x7c00 && bits !== 0x8000)
  .map((bits) => ({ bits, value: decodeHalf(bits) }))
  .sort((a, b) => a.value - b.value);

/** IEEE 754, §4.3.1: the nearest half, the even one of two; beyond the midpoint to 2^16 infinity. */
function nearest(value: number): number {
  if (Math.abs(value) >= 65_520) return value < 0 ? -Infinity : Infinity;
  let low = 0;
  let high = finite.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((finite[middle]?.value ?? 0) <= value) low = middle;
    else high = middle;
  }
  const [below, above] = [finite[low], finite[high]];
  if (below === undefined || above === undefined) throw new Error('no halves');
  const [down, up] = [value - below.value, above.value - value];
  if (down === up) return (below.bits & 1) === 0 ? below.value : above.value;
  return down < up ? below.value : above.value;
}

describe('half floats', () => {
  it('decode as IEEE 754 says', () => {
    const known: [number, number][] = [
      [0x0000, 0],
      [0x3c00, 1],
      [0xc000, -2],
      [0x3555, 0.333251953125],
      [0x7bff, 65_504],
      [0x0001, 2 ** -24],
      [0x03ff, 2 ** -14 - 2 ** -24],
      [0x0400, 2 ** -14],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
    ];
    for (const [bits, value] of known) expect(decodeHalf(bits)).toBe(value);
    expect(decodeHalf(0x8000)).toBe(-0);
    expect(decodeHalf(0x7e00)).toBeNaN();
  });

  it('survive a round trip, all 65,536 of them', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 65_536; bits++) {
      const back = encodeHalf(decodeHalf(bits));
      // There is one number that is none, and many ways to write it.
      if (NAN_BITS(bits) ? !NAN_BITS(back) : back !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it('are the nearest to any float32, ties to even', () => {
    const anyFloat = fc.float({ noNaN: true });
    const near = fc.float({ min: Math.fround(-70_000), max: Math.fround(70_000), noNaN: true });
    const small = fc.float({ min: Math.fround(-(2 ** -13)), max: Math.fround(2 ** -13), noNaN: true });
    fc.assert(
      fc.property(fc.oneof(anyFloat, near, small), (value) => {
        const rounded = decodeHalf(encodeHalf(value));
        expect(rounded === nearest(value), `${value} → ${rounded}, not ${nearest(value)}`).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it('take the even one of every pair of neighbours at their midpoint', () => {
    for (let i = 1; i < finite.length; i++) {
      const [below, above] = [finite[i - 1], finite[i]];
      if (below === undefined || above === undefined) throw new Error('no halves');
      const even = (below.bits & 1) === 0 ? below.value : above.value;
      const midpoint = (below.value + above.value) / 2;
      if (decodeHalf(encodeHalf(midpoint)) !== even) expect.fail(`${midpoint} must become ${even}`);
    }
  });

  it('overflow to infinity from the midpoint beyond 65,504 on', () => {
    expect(decodeHalf(encodeHalf(65_519.996))).toBe(65_504);
    expect(decodeHalf(encodeHalf(65_520))).toBe(Infinity);
    expect(decodeHalf(encodeHalf(-1e30))).toBe(-Infinity);
    expect(decodeHalf(encodeHalf(Infinity))).toBe(Infinity);
  });

  it('underflow to a zero that keeps its sign, the midpoint to even', () => {
    expect(encodeHalf(2 ** -25)).toBe(0);
    expect(encodeHalf(Math.fround(2 ** -25 * 1.0001))).toBe(1);
    expect(encodeHalf(-(2 ** -30))).toBe(0x8000);
    expect(encodeHalf(-0)).toBe(0x8000);
  });

  it('keep NaN a NaN', () => {
    expect(NAN_BITS(encodeHalf(NaN))).toBe(true);
  });
});
