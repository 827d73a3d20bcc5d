/**
 * Random words as a function of where they are used, with no state: the same (stream, counter) gives the same words in any
 * order of calls. `stream` counts resamples, `counter` the blocks of words within one.
 */
export interface UniformSource {
  /**
   * Writes two independent words, uniform over 0…2^32−1, into `out`.
   *
   * @param stream 0…2^32−1
   * @param counter 0…2^32−1
   */
  fill(stream: number, counter: number, out: Uint32Array): void;
}

const ROUNDS = 20;
/** Words of the key schedule are xored with this, so that a key of zeros mixes too (Skein's C240, lower half). */
const PARITY = 0x1bd11bda;

/**
 * Threefry2x32-20: two words from two counter words and two key words, by additions, rotations and exclusive ors only, with
 * 20 rounds where 13 pass every test of BigCrush (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
 * SC11; Random123).
 *
 * @returns nothing; the two words are in `out[0]` and `out[1]`
 */
export function threefry2x32(
  counter0: number,
  counter1: number,
  key0: number,
  key1: number,
  out: Uint32Array,
): void {
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  let k2 = PARITY ^ k0 ^ k1;
  let x0 = (counter0 + k0) | 0;
  let x1 = (counter1 + k1) | 0;
  for (let injection = 1; injection <= ROUNDS / 4; injection++) {
    // Rotations by 13, 15, 26, 6 in the odd groups of four rounds and by 17, 29, 16, 24 in the even ones.
    if ((injection & 1) === 1) {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
    } else {
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
    }
    const first = k0;
    k0 = k1;
    k1 = k2;
    k2 = first;
    x0 = (x0 + k0) | 0;
    x1 = (x1 + k1 + injection) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}

/** What a source's words are used for: no two methods see the same ones under one seed. */
export const SOURCE_PURPOSES = { bootstrap: 1, permutation: 2 } as const;

/**
 * The default source: Threefry2x32-20 keyed by (seed, purpose).
 *
 * @param seed 0…2^32−1
 */
export function threefrySource(seed: number, purpose: number): UniformSource {
  return { fill: (stream, counter, out) => threefry2x32(counter, stream, seed, purpose, out) };
}
