import { randomBelow, randomKey, type RandomDomain } from './random.js';

/**
 * Order of an epoch: a permutation of 0…n−1, uniform over all of them (Fisher–Yates), a pure function of its arguments.
 *
 * @returns a new array of length n
 */
export function permutation(
  seed: number,
  epoch: number,
  n: number,
  domain: RandomDomain = 'permutation',
): Uint32Array {
  const key = randomKey(seed, domain);
  const order = Uint32Array.from({ length: n }, (_, index) => index);
  shuffleFront(order, n, (position, bound) => randomBelow(key, [epoch, 0], position, bound));
  return order;
}

/**
 * Fisher–Yates from the front: afterwards the first `count` entries are a uniform choice without repetition, and the same
 * draws with a larger `count` keep them, so that smaller choices are contained in larger ones.
 */
export function shuffleFront(
  items: Uint32Array,
  count: number,
  below: (position: number, bound: number) => number,
): void {
  for (let position = 0; position < count; position++) {
    const chosen = position + below(position, items.length - position);
    const item = items[chosen] ?? 0;
    items[chosen] = items[position] ?? 0;
    items[position] = item;
  }
}
