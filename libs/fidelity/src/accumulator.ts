import { FidelisError } from '@fidelis/contracts';

/**
 * A metric family over any number of rows in memory that does not grow with them. What was added in which split or order
 * changes the result by rounding only (below 1e-12 relative: sums are compensated float64).
 */
export interface Accumulator<Batch, State, Result> {
  /** Rows so far. */
  readonly n: number;
  /**
   * Adds rows. A batch that is refused leaves the accumulator as it was.
   *
   * @throws FidelisError REQUEST.INVALID naming what is wrong, with its row and column
   */
  add(batch: Batch): void;
  /**
   * Adds what another accumulator of the same settings has seen; the other is not changed.
   *
   * @throws FidelisError REQUEST.INVALID if the settings differ
   */
  merge(other: this): void;
  /** A plain object that survives JSON; the class's `fromJSON` takes it. */
  toJSON(): State;
  /** @throws FidelisError REQUEST.INVALID if no row was added: a mean over nothing has no value */
  result(): Result;
}

export function refuse(message: string, details: Readonly<Record<string, unknown>> = {}): never {
  throw new FidelisError('REQUEST.INVALID', message, { details });
}

/** @throws FidelisError REQUEST.INVALID unless `value` is an integer of at least `least` */
export function assertCount(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    refuse(`${name}: ${value} is not a whole number of at least ${least}`, { field: name, value });
  }
}

/** @throws FidelisError REQUEST.INVALID unless every named setting is the same on both sides */
export function assertSameSettings<Settings extends object>(mine: Settings, other: Settings): void {
  for (const [name, value] of Object.entries(mine)) {
    const theirs: unknown = (other as Record<string, unknown>)[name];
    if (theirs !== value) {
      refuse(`accumulators with different ${name} cannot be merged: ${String(value)} and ${String(theirs)}`, {
        field: name,
      });
    }
  }
}

/** @throws FidelisError REQUEST.INVALID if no row was added */
export function assertNotEmpty(n: number): void {
  if (n === 0) refuse('there is no result yet: add at least one row');
}
