import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { LossSpec } from '@fidelis/contracts';
import { differentiable, tensorAt } from '@fidelis/models';

/** What a batch is trained towards. */
export interface Targets {
  /** One-hot, [rows][classes]. */
  readonly labels?: Tensor2D;
  /** The teacher's combined logits, [rows][classes]. */
  readonly teacherLogits?: Tensor2D;
}

/** Labels alone (a teacher's training), or a teacher's logits and perhaps labels (a student's). */
export type TrainingLoss = { readonly kind: 'labels' } | LossSpec;

/** Whether the loss asks for labels, and for a teacher. */
export function lossNeeds(loss: TrainingLoss): { readonly labels: boolean; readonly teacher: boolean } {
  return loss.kind === 'labels'
    ? { labels: true, teacher: false }
    : { labels: loss.alpha > 0, teacher: loss.alpha < 1 };
}

/**
 * Mean over the batch of −Σ_j y_j log softmax_j(z); gradient (softmax(z) − y)/B (paper §2.2).
 *
 * @param logits [B][C]
 * @param labels one-hot, [B][C]
 */
export function nllLoss(logits: Tensor2D, labels: Tensor2D): Scalar {
  return weightedSum(logits, [{ weight: 1, temperature: 1, probabilities: () => labels }]);
}

/**
 * Mean over the batch of −τ² Σ_j softmax_j(z_t/τ) log softmax_j(z_s/τ): a cross-entropy, whose floor is τ² times the teacher's
 * entropy. Gradient with respect to z_s: τ (p_s^τ − p_t^τ)/B (paper §2.2).
 *
 * @param logits of the student, [B][C]
 * @param teacherLogits [B][C]
 */
export function kdLoss(logits: Tensor2D, teacherLogits: Tensor2D, temperature: number): Scalar {
  return weightedSum(logits, [
    { weight: 1, temperature, probabilities: () => softTargets(teacherLogits, temperature) },
  ]);
}

/** α·NLL + (1−α)·KD, or NLL alone. A term of weight 0 is not computed, and its target may be absent. */
export function trainingLoss(loss: TrainingLoss, logits: Tensor2D, targets: Targets): Scalar {
  const needs = lossNeeds(loss);
  const alpha = loss.kind === 'labels' ? 1 : loss.alpha;
  const terms: Term[] = [];
  if (needs.labels) {
    terms.push({ weight: alpha, temperature: 1, probabilities: () => required(targets.labels, 'labels') });
  }
  if (needs.teacher && loss.kind !== 'labels') {
    const { temperature } = loss;
    terms.push({
      weight: 1 - alpha,
      temperature,
      probabilities: () => softTargets(required(targets.teacherLogits, "the teacher's logits"), temperature),
    });
  }
  return weightedSum(logits, terms);
}

interface Term {
  readonly weight: number;
  readonly temperature: number;
  /** [B][C], each row sums to 1. */
  readonly probabilities: () => Tensor2D;
}

/**
 * Σ w·τ²·mean CE(p, z/τ) as one operation with one gradient. TensorFlow's kernel gives the cross-entropy and softmax(z/τ) − p
 * together; d(τ² CE)/dz = τ (softmax(z/τ) − p).
 */
function weightedSum(logits: Tensor2D, terms: readonly Term[]): Scalar {
  const [rows] = logits.shape;
  return differentiable([logits], () => {
    const parts = terms.map(({ weight, temperature, probabilities }) => {
      const [losses, difference] = tf.engine().runKernel<Tensor[]>('SoftmaxCrossEntropyWithLogits', {
        features: scaled(logits, 1 / temperature),
        labels: probabilities(),
      });
      if (losses === undefined || difference === undefined)
        throw new TypeError('the kernel gives two tensors');
      return {
        value: scaled(tf.sum(losses), (weight * temperature * temperature) / rows),
        gradient: scaled(difference, (weight * temperature) / rows),
      };
    });
    return {
      value: total(parts.map(({ value }) => value)),
      saved: [total(parts.map(({ gradient }) => gradient))],
      gradient: (dy, saved) => [tf.mul(tensorAt(saved, 0), dy)],
    };
  }) as Scalar;
}

function softTargets(teacherLogits: Tensor2D, temperature: number): Tensor2D {
  return tf.softmax(scaled(teacherLogits, 1 / temperature));
}

function scaled<T extends Tensor>(tensor: T, factor: number): T {
  return factor === 1 ? tensor : tf.mul(tensor, factor);
}

function total(tensors: readonly Tensor[]): Tensor {
  const [first, ...rest] = tensors;
  if (first === undefined) throw new RangeError('a loss has at least one term');
  return rest.reduce((sum, tensor) => tf.add(sum, tensor), first);
}

function required(tensor: Tensor2D | undefined, what: string): Tensor2D {
  if (tensor === undefined) throw new TypeError(`this loss needs ${what}`);
  return tensor;
}
