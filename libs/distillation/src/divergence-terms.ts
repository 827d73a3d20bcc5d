import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import {
  meanOverBatch,
  scaled,
  softened,
  throughSoftmax,
  type LossTerm,
  type Softened,
} from './loss-term.js';

/** Distances of two distributions, p the teacher's and q the student's at the same temperature; without τ². */

/** KL(p ‖ q) = Σ p (log p − log q); gradient (q − p)/τ. */
export function forwardKl(logits: Tensor2D, teacherLogits: Tensor2D, temperature: number): LossTerm {
  const p = softened(teacherLogits, temperature);
  const q = softened(logits, temperature);
  return meanOverBatch(
    divergence(p, q.logs),
    scaled(tf.sub(q.probabilities, p.probabilities), 1 / temperature),
  );
}

/** KL(q ‖ p) = Σ q (log q − log p); gradient q (log q − log p − KL)/τ. */
export function reverseKl(logits: Tensor2D, teacherLogits: Tensor2D, temperature: number): LossTerm {
  const p = softened(teacherLogits, temperature);
  const q = softened(logits, temperature);
  return meanOverBatch(divergence(q, p.logs), throughSoftmax(tf.sub(q.logs, p.logs), q, temperature));
}

/**
 * β KL(p ‖ m) + (1−β) KL(q ‖ m) with m = β p + (1−β) q. With respect to q its gradient is (1−β) log(q/m), the rest of the product rule
 * cancelling out; log m = logaddexp(log β + log p, log(1−β) + log q) stays finite.
 */
export function jensenShannon(
  logits: Tensor2D,
  teacherLogits: Tensor2D,
  temperature: number,
  beta: number,
): LossTerm {
  const p = softened(teacherLogits, temperature);
  const q = softened(logits, temperature);
  const mixture = logAddExp(tf.add(p.logs, Math.log(beta)), tf.add(q.logs, Math.log(1 - beta)));
  const values = tf.add(scaled(divergence(p, mixture), beta), scaled(divergence(q, mixture), 1 - beta));
  const upstream = scaled(tf.sub<Tensor2D>(q.logs, mixture), 1 - beta);
  return meanOverBatch(values, throughSoftmax(upstream, q, temperature));
}

/** Σ (q − p)²; gradient with respect to q: 2 (q − p). */
export function squaredProbabilities(
  logits: Tensor2D,
  teacherLogits: Tensor2D,
  temperature: number,
): LossTerm {
  const p = softened(teacherLogits, temperature);
  const q = softened(logits, temperature);
  const difference = tf.sub<Tensor2D>(q.probabilities, p.probabilities);
  return meanOverBatch(tf.square(difference), throughSoftmax(scaled(difference, 2), q, temperature));
}

/** ‖z_s − z_t‖², summed over the classes. */
export function squaredLogits(logits: Tensor2D, teacherLogits: Tensor2D): LossTerm {
  const difference = tf.sub<Tensor2D>(logits, teacherLogits);
  return meanOverBatch(tf.square(difference), scaled(difference, 2));
}

/** Terms of Σ p (log p − log m). */
function divergence({ probabilities, logs }: Softened, others: Tensor2D): Tensor2D {
  return tf.mul(probabilities, tf.sub(logs, others));
}

function logAddExp(a: Tensor, b: Tensor): Tensor2D {
  const greater = tf.maximum(a, b);
  return tf.add(greater, tf.log1p(tf.exp(tf.sub(tf.minimum(a, b), greater))));
}
