/**
 * IEEE 754 binary16 ("half"), for Node versions without Float16Array. Rounds to nearest, ties to even;
 * subnormals, infinities and NaN are kept; values beyond 65504 become infinities.
 */

const float32 = new Float32Array(1);
const bits32 = new Uint32Array(float32.buffer);

/** @returns the 16 bits that stand for `value` */
export function encodeHalf(value: number): number {
  float32[0] = value;
  const bits = bits32[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  const unbiased = exponent - 127;
  if (unbiased > 15) return sign | 0x7c00;
  if (unbiased >= -14) {
    // A carry out of the rounded mantissa moves into the exponent, which is what rounding up means.
    return sign | (((unbiased + 15) << 10) + roundShift(mantissa, 13));
  }
  if (unbiased < -25) return sign;
  return sign | roundShift(mantissa | 0x800000, -unbiased - 14 + 13);
}

/** mantissa / 2^shift, to nearest, ties to even. */
function roundShift(mantissa: number, shift: number): number {
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

/** What exponents of halves are below those of float32 (127 − 15): the shifted bits of a half, a subnormal's too, are its value over this. */
const EXPONENT_SCALE = 2 ** 112;

/** Without a table: one of all 65,536 would take a quarter of a mebibyte of cache from whatever computes beside it. */
export function decodeHalf(bits: number): number {
  const magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) return magnitude > 0x7c00 ? NaN : (bits & 0x8000) === 0 ? Infinity : -Infinity;
  bits32[0] = ((bits & 0x8000) << 16) | (magnitude << 13);
  return (float32[0] ?? 0) * EXPONENT_SCALE;
}
