import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import {
  meanOverBatch,
  scaled,
  softened,
  sumOf,
  throughSoftmax,
  weighted,
  type LossTerm,
  type Softened,
} from './loss-term.js';
import { forwardKl } from './divergence-terms.js';

/** Taken off the label's logit to leave its class out: far more than logits of ±10⁴ differ (the published code takes 1000). */
const LEFT_OUT = 1e9;
/** DIST's and LSKD's own: keep a correlation and a deviation of constants finite. */
const CORRELATION_EPSILON = 1e-8;
const DEVIATION_EPSILON = 1e-7;
/** Below it a square is 0 in float32. */
const LEAST_NORM = 1e-30;

interface WithoutLabel {
  /** softmax over the other classes; 0 for the label's. */
  readonly others: Softened;
  /** log p_y and log(1 − p_y), [B][1] */
  readonly logTarget: Tensor;
  readonly logOthers: Tensor;
}

/**
 * Decoupled KD (Zhao et al., CVPR 2022), without τ²: TCKD = KL of (p_y, 1−p_y), NCKD = KL over the other classes. With q′ and p′ the
 * distributions over the others, their gradients are (q − p_y·e_y − (1−p_y) q′)/τ and (q′ − p′)/τ.
 *
 * @param labels one-hot, [B][C]
 */
export function decoupled(
  logits: Tensor2D,
  teacherLogits: Tensor2D,
  labels: Tensor2D,
  {
    temperature,
    targetWeight,
    nonTargetWeight,
  }: {
    readonly temperature: number;
    readonly targetWeight: number;
    readonly nonTargetWeight: number;
  },
): LossTerm {
  const student = withoutLabel(logits, labels, temperature);
  const teacher = withoutLabel(teacherLogits, labels, temperature);
  const target = tf.exp(teacher.logTarget);
  const rest = tf.exp(teacher.logOthers);
  const targetTerm = meanOverBatch(
    tf.add(
      tf.mul(target, tf.sub(teacher.logTarget, student.logTarget)),
      tf.mul(rest, tf.sub(teacher.logOthers, student.logOthers)),
    ),
    scaled(
      tf.sub<Tensor2D>(
        tf.sub(softened(logits, temperature).probabilities, tf.mul(target, labels)),
        tf.mul(rest, student.others.probabilities),
      ),
      1 / temperature,
    ),
  );
  const otherTerm = meanOverBatch(
    tf.mul(teacher.others.probabilities, tf.sub(teacher.others.logs, student.others.logs)),
    scaled(tf.sub<Tensor2D>(student.others.probabilities, teacher.others.probabilities), 1 / temperature),
  );
  return sumOf([weighted(targetTerm, targetWeight), weighted(otherTerm, nonTargetWeight)]);
}

function withoutLabel(logits: Tensor2D, labels: Tensor2D, temperature: number): WithoutLabel {
  const scaledLogits = scaled(logits, 1 / temperature);
  const centred = tf.sub<Tensor2D>(scaledLogits, tf.max(scaledLogits, 1, true));
  const masked = tf.sub<Tensor2D>(centred, scaled(labels, LEFT_OUT));
  const all = tf.log(tf.sum(tf.exp(centred), 1, true));
  const greatest = tf.max(masked, 1, true);
  const others = tf.add(greatest, tf.log(tf.sum(tf.exp(tf.sub(masked, greatest)), 1, true)));
  return {
    others: softened(masked, 1),
    logTarget: tf.sub(tf.sum(tf.mul(labels, centred), 1, true), all),
    logOthers: tf.sub(others, all),
  };
}

/**
 * DIST (Huang et al., NeurIPS 2022), without τ²: inter · (1 − mean over rows of the Pearson correlation of q and p) + intra · the same over
 * the columns of the batch.
 */
export function correlations(
  logits: Tensor2D,
  teacherLogits: Tensor2D,
  {
    temperature,
    interWeight,
    intraWeight,
  }: {
    readonly temperature: number;
    readonly interWeight: number;
    readonly intraWeight: number;
  },
): LossTerm {
  const p = softened(teacherLogits, temperature);
  const q = softened(logits, temperature);
  const inter = uncorrelated(q.probabilities, p.probabilities, 1);
  const intra = uncorrelated(q.probabilities, p.probabilities, 0);
  const { value, gradient } = sumOf([weighted(inter, interWeight), weighted(intra, intraWeight)]);
  return { value, gradient: throughSoftmax(gradient, q, temperature) };
}

/**
 * 1 − mean of a·b / (‖a‖‖b‖ + ε) with a, b centred along the axis, and its gradient with respect to the first: that of the centring is left
 * out, since the gradient's mean along the axis is 0 as those of a and b are.
 */
function uncorrelated(student: Tensor2D, teacher: Tensor2D, axis: 0 | 1): LossTerm {
  const count = student.shape[1 - axis] ?? 1;
  const a = tf.sub<Tensor2D>(student, tf.mean(student, axis, true));
  const b = tf.sub<Tensor2D>(teacher, tf.mean(teacher, axis, true));
  const product = tf.sum(tf.mul(a, b), axis, true);
  const normA = tf.sqrt(tf.sum(tf.square(a), axis, true));
  const normB = tf.sqrt(tf.sum(tf.square(b), axis, true));
  const denominator = tf.add(tf.mul(normA, normB), CORRELATION_EPSILON);
  const correlation = tf.div(product, denominator);
  const alongA = tf.div(tf.mul(correlation, normB), tf.maximum(normA, LEAST_NORM));
  const gradient = tf.div<Tensor2D>(tf.sub(b, tf.mul(a, alongA)), denominator);
  return {
    value: tf.sub(1, scaled(tf.sum(correlation), 1 / count)),
    gradient: scaled(gradient, -1 / count),
  };
}

/**
 * KD of standardised logits (Sun et al., CVPR 2024), without τ²: forward KL of x = (z − mean) / (10⁻⁷ + std) by row, with the deviation over
 * C − 1. Backwards: (g − (z − mean) · Σ g (z − mean) / ((C−1) std (10⁻⁷ + std))) / (10⁻⁷ + std); the mean of g is 0 already.
 */
export function standardisedKl(logits: Tensor2D, teacherLogits: Tensor2D, temperature: number): LossTerm {
  const student = standardised(logits);
  const { value, gradient } = forwardKl(student.values, standardised(teacherLogits).values, temperature);
  const { centred, deviation, divisor } = student;
  const degrees = logits.shape[1] - 1;
  const along = tf.div(
    tf.sum(tf.mul(gradient, centred), 1, true),
    tf.mul(tf.maximum(scaled(deviation, degrees), LEAST_NORM), divisor),
  );
  return { value, gradient: tf.div(tf.sub(gradient, tf.mul(centred, along)), divisor) };
}

function standardised(logits: Tensor2D): {
  readonly values: Tensor2D;
  readonly centred: Tensor2D;
  readonly deviation: Tensor;
  readonly divisor: Tensor;
} {
  const centred = tf.sub<Tensor2D>(logits, tf.mean(logits, 1, true));
  const variance = scaled(tf.sum(tf.square(centred), 1, true), 1 / (logits.shape[1] - 1));
  const deviation = tf.sqrt(variance);
  const divisor = tf.add(deviation, DEVIATION_EPSILON);
  return { values: tf.div(centred, divisor), centred, deviation, divisor };
}
