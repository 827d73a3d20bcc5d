import { assertCount, refuse } from './accumulator.js';

/** Unnormalised log-probabilities, [rows][classes]. −∞ is a class of probability 0; log-probabilities are logits too. */
export type Logits = Float32Array | Float64Array;

export type Labels = Uint8Array | Int32Array;

/**
 * @param name whose they are, for messages: "teacher", "student", "logits"
 * @throws FidelisError REQUEST.INVALID if the length is not rows · classes, a value is NaN or +∞, or a row is −∞ throughout;
 *   it names row and column, counted from 0
 */
export function assertLogits(name: string, logits: Logits, rows: number, classes: number): void {
  assertCount('rows', rows, 0);
  if (logits.length !== rows * classes) {
    refuse(
      `${name}: ${logits.length} values where ${rows} rows of ${classes} classes have ${rows * classes}`,
      {
        of: name,
      },
    );
  }
  for (let row = 0; row < rows; row++) assertRow(name, logits, row, classes);
}

function assertRow(name: string, logits: Logits, row: number, classes: number): void {
  let possible = false;
  for (let column = 0; column < classes; column++) {
    const value = logits[row * classes + column] ?? NaN;
    if (Number.isNaN(value) || value === Infinity) {
      refuse(`${name}: row ${row}, column ${column} is ${value}: a logit is a number or −Infinity`, {
        of: name,
        row,
        column,
      });
    }
    if (value !== -Infinity) possible = true;
  }
  if (!possible) refuse(`${name}: row ${row} gives every class probability 0`, { of: name, row });
}

/** @throws FidelisError REQUEST.INVALID if the length is not `rows`, or a label is not 0…classes−1; it names the row */
export function assertLabels(labels: Labels, rows: number, classes: number): void {
  assertCount('rows', rows, 0);
  if (labels.length !== rows) refuse(`labels: ${labels.length} values for ${rows} rows`, { of: 'labels' });
  const row = labels.findIndex((label) => label < 0 || label >= classes);
  if (row >= 0) {
    refuse(`labels: row ${row} is ${labels[row] ?? ''}, but there are ${classes} classes`, {
      of: 'labels',
      row,
    });
  }
}

/** What the metrics need of one row. One object is filled again and again: take what you need before the next row. */
export interface RowScore {
  /** [classes], log-softmax in float64, nats. −∞ where the logit is. */
  readonly logProbabilities: Float64Array;
  /** Index of the largest logit; of equal ones the first. */
  predicted: number;
  /**
   * Softmax probability of `predicted`, computed in float64 and rounded to float32. That is the precision in which the
   * reference implementations hold it (paper.md §5), so a confidence on the edge of a bin falls where it falls there.
   */
  confidence: number;
}

export function createRowScore(classes: number): RowScore {
  return { logProbabilities: new Float64Array(classes), predicted: 0, confidence: 0 };
}

/**
 * Log-softmax of one row: z − max − log Σ exp(z − max). Stable for any finite logits; adding a constant to the row changes
 * nothing but rounding.
 */
export function scoreRow(logits: Logits, row: number, into: RowScore): void {
  const { logProbabilities } = into;
  const classes = logProbabilities.length;
  const start = row * classes;
  let predicted = 0;
  let largest = -Infinity;
  for (let column = 0; column < classes; column++) {
    const value = logits[start + column] ?? NaN;
    if (value > largest) {
      largest = value;
      predicted = column;
    }
  }
  let total = 0;
  for (let column = 0; column < classes; column++) {
    const shifted = (logits[start + column] ?? NaN) - largest;
    logProbabilities[column] = shifted;
    total += Math.exp(shifted);
  }
  const logTotal = Math.log(total);
  for (let column = 0; column < classes; column++) {
    logProbabilities[column] = (logProbabilities[column] ?? NaN) - logTotal;
  }
  into.predicted = predicted;
  into.confidence = Math.fround(1 / total);
}
