/**
 * Every byte as the network sees it: (b / 255) · 2 − 1, rounded to float32 after each operation, so that it equals what
 * single-precision code computes ("unitcube": paper.md §1.0). −1 for 0, 1 for 255.
 */
const UNIT_CUBE = Float32Array.from(
  { length: 256 },
  (_, byte) => Math.fround(Math.fround(byte / 255) * 2) - 1,
);

/** @returns [−1, 1], one value per byte, in a new array */
export function scaleInputs(bytes: Uint8Array | Uint16Array): Float32Array {
  const scaled = new Float32Array(bytes.length);
  scaleInto(bytes, scaled, 0);
  return scaled;
}

/** Writes the scaled bytes to `target` from `offset` on. */
export function scaleInto(bytes: Uint8Array | Uint16Array, target: Float32Array, offset: number): void {
  for (let i = 0; i < bytes.length; i++) target[offset + i] = UNIT_CUBE[bytes[i] ?? 0] ?? 0;
}
