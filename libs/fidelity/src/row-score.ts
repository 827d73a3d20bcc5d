import { SUM_EXACT, type InputKind, type Rows } from './input.js';

/** What the metrics need of one row. One object is filled again and again: take what you need before the next row. */
export interface RowScore {
  /** [classes], log-softmax in float64, nats. −∞ where the probability is 0. */
  readonly logProbabilities: Float64Array;
  /** [classes], softmax in float64. */
  readonly probabilities: Float64Array;
  /** Index of the largest value; of equal ones the first. */
  predicted: number;
  /** Probability of `predicted`, above 0 and at most 1. */
  confidence: number;
}

export function createRowScore(classes: number): RowScore {
  return {
    logProbabilities: new Float64Array(classes),
    probabilities: new Float64Array(classes),
    predicted: 0,
    confidence: 0,
  };
}

/**
 * Scores one row that `assertRows` has let pass. Logits and log-probabilities: log-softmax z − max − log Σ exp(z − max), stable
 * for any finite values; adding a constant to the row changes nothing but rounding. Probabilities: as they are, or divided by
 * their sum where it is off by more than SUM_EXACT.
 */
export function scoreRow(values: Rows, row: number, into: RowScore, kind: InputKind = 'logits'): void {
  const start = row * into.logProbabilities.length;
  const predicted = largestOf(values, start, into.logProbabilities.length);
  into.predicted = predicted;
  if (kind === 'probs') takeProbabilities(values, start, into);
  else softmax(values, start, values[start + predicted] ?? NaN, into);
  into.confidence = Math.min(1, into.probabilities[predicted] ?? NaN);
}

/** Column of the largest value of a row; of equal ones the first, as argmax of NumPy and PyTorch (on a CPU). */
export function largestOf(values: Rows, start: number, classes: number): number {
  let column = 0;
  let largest = -Infinity;
  for (let candidate = 0; candidate < classes; candidate++) {
    const value = values[start + candidate] ?? NaN;
    if (value > largest) {
      largest = value;
      column = candidate;
    }
  }
  return column;
}

function softmax(values: Rows, start: number, largest: number, into: RowScore): void {
  const { logProbabilities, probabilities } = into;
  const classes = logProbabilities.length;
  let total = 0;
  for (let column = 0; column < classes; column++) {
    const shifted = (values[start + column] ?? NaN) - largest;
    const weight = Math.exp(shifted);
    logProbabilities[column] = shifted;
    probabilities[column] = weight;
    total += weight;
  }
  const logTotal = Math.log(total);
  for (let column = 0; column < classes; column++) {
    logProbabilities[column] = (logProbabilities[column] ?? NaN) - logTotal;
    probabilities[column] = (probabilities[column] ?? NaN) / total;
  }
}

function takeProbabilities(values: Rows, start: number, into: RowScore): void {
  const { logProbabilities, probabilities } = into;
  const classes = logProbabilities.length;
  const divisor = probabilityDivisor(values, start, classes);
  for (let column = 0; column < classes; column++) {
    const probability = (values[start + column] ?? NaN) / divisor;
    probabilities[column] = probability;
    logProbabilities[column] = Math.log(probability);
  }
}

function probabilityDivisor(values: Rows, start: number, classes: number): number {
  let sum = 0;
  for (let column = 0; column < classes; column++) sum += values[start + column] ?? NaN;
  return divisorOf(sum);
}

/** 1, or a sum of probabilities that is off by more than SUM_EXACT. */
export function divisorOf(sum: number): number {
  return Math.abs(sum - 1) <= SUM_EXACT ? 1 : sum;
}

/**
 * Whether a class is among the k most probable ones. Of equal ones the one with the smaller index comes first, so exactly k classes
 * are (all of them where there are no more than k).
 */
export function isInTop(score: RowScore, column: number, k: number): boolean {
  if (column === score.predicted) return true;
  const { logProbabilities } = score;
  const own = logProbabilities[column] ?? NaN;
  let before = 0;
  for (let other = 0; other < logProbabilities.length; other++) {
    const value = logProbabilities[other] ?? NaN;
    if (value > own || (value === own && other < column)) before++;
  }
  return before < k;
}

/** Class and confidence of one row: `scoreRow` for metrics that need no more. */
export interface TopScore {
  predicted: number;
  confidence: number;
}

/** `predicted` and `confidence` of a row of logits or log-probabilities exactly as `scoreRow` has them, without the logarithms. */
export function scoreTop(values: Rows, row: number, classes: number, into: TopScore): void {
  const start = row * classes;
  const predicted = largestOf(values, start, classes);
  const largest = values[start + predicted] ?? NaN;
  into.predicted = predicted;
  let total = 0;
  for (let column = 0; column < classes; column++) {
    total += Math.exp((values[start + column] ?? NaN) - largest);
  }
  into.confidence = 1 / total;
}
