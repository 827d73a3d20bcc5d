import { FidelisError } from '@fidelis/contracts';

/** @throws FidelisError REQUEST.INVALID with the message, unless the condition holds */
export function requireThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw new FidelisError('REQUEST.INVALID', message);
}

/** @throws FidelisError REQUEST.INVALID unless the level of an interval is above 0 and below 1 */
export function requireLevel(level: number): void {
  requireThat(
    level > 0 && level < 1,
    `the level of an interval is above 0 and below 1, for example 0.95: got ${level}`,
  );
}

/** @throws FidelisError REQUEST.INVALID unless the seed is an integer 0…2^32−1 */
export function requireSeed(seed: number): void {
  requireThat(
    Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff,
    `a seed is an integer from 0 to 4294967295: got ${seed}`,
  );
}

/** @throws FidelisError REQUEST.INVALID at the first value that is NaN or infinite */
export function requireFinite(values: ArrayLike<number>, what: string): void {
  for (let index = 0; index < values.length; index++) {
    requireThat(
      Number.isFinite(values[index]),
      `${what} are finite numbers: number ${index} is ${values[index]}`,
    );
  }
}
