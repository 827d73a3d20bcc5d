import { assertCount, refuse } from './accumulator.js';
import { assertLogits, type Logits } from './logits.js';

/**
 * What a row holds:
 * - `logits`: unnormalised log-probabilities; any finite number or −∞.
 * - `logprobs`: natural logarithms of probabilities; −∞ is probability 0.
 * - `probs`: probabilities, 0…1.
 */
export const INPUT_KINDS = ['logits', 'logprobs', 'probs'] as const;
export type InputKind = (typeof INPUT_KINDS)[number];

/** [rows][classes], row after row. float16 belongs into a Float32Array: each of its values is a float32. */
export type Rows = Logits;

/**
 * How far the probabilities of a row may sum from 1. float16 needs this much: it rounds each one by up to 2⁻¹¹ of itself. Rows further
 * away are no distributions over these classes.
 */
export const SUM_TOLERANCE = 1e-3;

/**
 * Rows of probabilities whose sum is this close to 1 are taken as they are, so that a confidence on the edge of a bin stays there;
 * others within SUM_TOLERANCE are divided by their sum.
 */
export const SUM_EXACT = 1e-6;

/** @throws FidelisError REQUEST.INVALID for an unknown kind */
export function assertKind(kind: InputKind): void {
  if (!INPUT_KINDS.includes(kind)) {
    refuse(`kind: "${String(kind)}" is unknown: use ${INPUT_KINDS.join(', ')}`, { field: 'kind' });
  }
}

/**
 * @param name whose they are, for messages: "teacher", "student", "model"
 * @throws FidelisError REQUEST.INVALID if the length is not rows · classes, a value is NaN, +∞ or no (log-)probability, or the
 *   probabilities of a row do not sum to 1 within SUM_TOLERANCE; it names row and column, counted from 0
 */
export function assertRows(name: string, values: Rows, rows: number, classes: number, kind: InputKind): void {
  if (kind === 'logits') {
    assertLogits(name, values, rows, classes);
    return;
  }
  assertLength(name, values, rows, classes);
  const scan: ProbabilityScan = { sum: 0, predicted: 0 };
  for (let row = 0; row < rows; row++) {
    if (kind === 'probs') scanProbabilities(name, values, row, classes, scan);
    else assertLogProbabilities(name, values, row, classes);
  }
}

/** @throws FidelisError REQUEST.INVALID if the length is not rows · classes */
export function assertLength(name: string, values: Rows, rows: number, classes: number): void {
  assertCount('rows', rows, 0);
  if (values.length === rows * classes) return;
  refuse(`${name}: ${values.length} values where ${rows} rows of ${classes} classes have ${rows * classes}`, {
    of: name,
  });
}

/** What one look at a row of probabilities gives. One object is filled again and again. */
export interface ProbabilityScan {
  sum: number;
  /** Column of the largest; of equal ones the first. */
  predicted: number;
}

/**
 * Checks one row of probabilities and finds its largest in one pass.
 *
 * @throws FidelisError REQUEST.INVALID as `assertRows`
 */
export function scanProbabilities(
  name: string,
  values: Rows,
  row: number,
  classes: number,
  into: ProbabilityScan,
): void {
  const start = row * classes;
  let sum = 0;
  let largest = -1;
  let predicted = 0;
  for (let column = 0; column < classes; column++) {
    const value = values[start + column] ?? NaN;
    // False for NaN too; one above 1 makes the sum too large.
    if (!(value >= 0)) refuseProbability(name, row, column, value);
    sum += value;
    if (value > largest) {
      largest = value;
      predicted = column;
    }
  }
  if (largest > 1 + SUM_TOLERANCE) refuseProbability(name, row, predicted, largest);
  if (Math.abs(sum - 1) > SUM_TOLERANCE) refuseSum(name, row, sum);
  into.sum = sum;
  into.predicted = predicted;
}

function refuseProbability(name: string, row: number, column: number, value: number): never {
  refuse(`${name}: row ${row}, column ${column} is ${value}: a probability is a number from 0 to 1`, {
    of: name,
    row,
    column,
  });
}

function refuseSum(name: string, row: number, sum: number): never {
  refuse(
    `${name}: the probabilities of row ${row} sum to ${sum}, not to 1 (within ${SUM_TOLERANCE}): ` +
      'if these are logits, say so with kind "logits"',
    { of: name, row, sum },
  );
}

function assertLogProbabilities(name: string, values: Rows, row: number, classes: number): void {
  const start = row * classes;
  let sum = 0;
  for (let column = 0; column < classes; column++) {
    const value = values[start + column] ?? NaN;
    if (!(value <= SUM_TOLERANCE)) {
      refuse(
        `${name}: row ${row}, column ${column} is ${value}: a log-probability is 0, negative or −Infinity`,
        { of: name, row, column },
      );
    }
    sum += Math.exp(value);
  }
  if (Math.abs(sum - 1) > SUM_TOLERANCE) refuseSum(name, row, sum);
}
