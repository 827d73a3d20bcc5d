import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import type { AdamSpec } from '@fidelis/contracts';

export interface AdamState {
  readonly parameters: Tensor1D;
  /** Running means of the gradient and of its square. */
  readonly mean: Tensor1D;
  readonly square: Tensor1D;
}

/** What changes from step to step, computed by the host in float64. */
export interface AdamScalars<Value> {
  /** rate / (1 − β₁^t) */
  readonly stepSize: Value;
  /** √(1 − β₂^t) */
  readonly squareCorrection: Value;
  /** AdamW: 1 − rate · weightDecay. */
  readonly shrinkage: Value;
}

/** @param step 0 is the first: t = step + 1 */
export function adamScalars(optimizer: AdamSpec, rate: number, step: number): AdamScalars<number> {
  return {
    stepSize: rate / (1 - power(optimizer.beta1, step + 1)),
    squareCorrection: Math.sqrt(1 - power(optimizer.beta2, step + 1)),
    shrinkage: 1 - rate * optimizer.weightDecay,
  };
}

/**
 * One step of Adam, or AdamW, as PyTorch does it:
 *
 *     parameters ← shrinkage · parameters                              (AdamW)
 *     g ← gradient (+ weightDecay · parameters, Adam)
 *     mean ← mean + (1 − β₁)(g − mean);   square ← β₂ · square + (1 − β₂) g²
 *     parameters ← parameters − stepSize · mean / (√square / squareCorrection + ε)
 *
 * Pure, as `sgdStep`.
 */
export function adamStep(
  { parameters, mean, square }: AdamState,
  gradient: Tensor1D,
  { stepSize, squareCorrection, shrinkage }: AdamScalars<Scalar>,
  { kind, beta1, beta2, epsilon, weightDecay }: AdamSpec,
): AdamState {
  const decoupled = kind === 'adamw';
  const start = decoupled && weightDecay > 0 ? tf.mul<Tensor1D>(parameters, shrinkage) : parameters;
  const g =
    decoupled || weightDecay === 0 ? gradient : tf.add<Tensor1D>(gradient, tf.mul(parameters, weightDecay));
  const nextMean = tf.add<Tensor1D>(mean, tf.mul(tf.sub(g, mean), 1 - beta1));
  const nextSquare = tf.add<Tensor1D>(tf.mul(square, beta2), tf.mul(tf.square(g), 1 - beta2));
  const denominator = tf.add(tf.div(tf.sqrt(nextSquare), squareCorrection), epsilon);
  const direction = tf.div(nextMean, denominator);
  return {
    parameters: tf.sub(start, tf.mul(direction, stepSize)),
    mean: nextMean,
    square: nextSquare,
  };
}

/** By multiplication alone: `Math.pow` differs in its last bit between engine versions, and a step is part of a result's identity. */
function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2), square *= square) {
    if (rest % 2 === 1) result *= square;
  }
  return result;
}
