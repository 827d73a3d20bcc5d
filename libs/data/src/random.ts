import { FidelisError } from '@fidelis/contracts';
import { multiplyHigh, philox4x32, type PhiloxKey } from './philox.js';

/**
 * What randomness is for: the second word of the key. Two purposes never see the same numbers, though both start
 * from the same seed. Part of every result's identity: never renumbered, never reused.
 */
export const RANDOM_DOMAINS = {
  subset: 1,
  permutation: 2,
  augmentation: 3,
  initialisation: 4,
  batch: 5,
  noise: 6,
  synthetic: 7,
  split: 8,
  'teacher-view': 9,
} as const;
export type RandomDomain = keyof typeof RANDOM_DOMAINS;

/** Two 32-bit words that name a stream of numbers within a key: (epoch, sample id), (parameter index, 0), … */
export type RandomStreamId = readonly [number, number];

/** The key of a purpose. `seed` is 0…2^32−1. */
export function randomKey(seed: number, domain: RandomDomain): PhiloxKey {
  return [seed >>> 0, RANDOM_DOMAINS[domain]];
}

/**
 * The `counter`-th 32-bit number of a stream: a pure function, in any order, on any machine.
 *
 * @param counter an integer from 0 to 2^53 − 1; four successive ones share a Philox block
 */
export function randomUint32(key: PhiloxKey, stream: RandomStreamId, counter: number): number {
  const block = Math.floor(counter / 4);
  const words = philox4x32([block >>> 0, Math.floor(block / 2 ** 32), stream[0], stream[1]], key);
  return words[counter % 4] ?? 0;
}

/** The `counter`-th number of a stream as a multiple of 2^−32 in [0, 1). */
export function randomUnit(key: PhiloxKey, stream: RandomStreamId, counter: number): number {
  return randomUint32(key, stream, counter) / 2 ** 32;
}

/** Marks the counters of bounded draws; the block numbers of plain ones stay below it. */
const BOUNDED = 0x80000000;

/**
 * An integer from 0 to `bound` − 1, each equally likely (Lemire 2019: multiply, and draw again in the few cases that would
 * favour some results). Each `counter` has draws of its own to repeat with, so that a repetition here changes
 * nothing elsewhere; they overlap with none of `randomUint32`.
 *
 * @param counter an integer from 0 to 2^32 − 1
 * @param bound an integer from 1 to 2^32 − 1
 * @throws FidelisError REQUEST.INVALID for another bound
 */
export function randomBelow(key: PhiloxKey, stream: RandomStreamId, counter: number, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > 0xffffffff) {
    throw new FidelisError(
      'REQUEST.INVALID',
      `cannot draw an integer below ${bound}: use 1 to ${0xffffffff}`,
    );
  }
  const biased = (2 ** 32 - bound) % bound;
  for (let attempt = 0; ; attempt++) {
    const words = philox4x32([counter >>> 0, (BOUNDED | attempt) >>> 0, stream[0], stream[1]], key);
    for (const word of words) {
      if (Math.imul(word, bound) >>> 0 >= biased) return multiplyHigh(word, bound);
    }
  }
}
