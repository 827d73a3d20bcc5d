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
  const start = row * classes;
  let largest = -Infinity;
  for (let column = 0; column < classes; column++) {
    const value = logits[start + column] ?? NaN;
    // False for NaN and +∞ alike.
    if (!(value < Infinity)) {
      refuse(`${name}: row ${row}, column ${column} is ${value}: a logit is a number or −Infinity`, {
        of: name,
        row,
        column,
      });
    }
    if (value > largest) largest = value;
  }
  if (largest === -Infinity) refuse(`${name}: row ${row} gives every class probability 0`, { of: name, row });
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
