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

/** Every half has one float32: 65,536 of them, 256 KiB, filled at first use. */
let halfTable: Float32Array | undefined;

function decodeOne(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

export function decodeHalf(bits: number): number {
  if (halfTable === undefined) {
    halfTable = new Float32Array(65_536);
    for (let i = 0; i < halfTable.length; i++) halfTable[i] = decodeOne(i);
  }
  return halfTable[bits & 0xffff] ?? NaN;
}
