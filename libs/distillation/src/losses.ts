import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { LossSpec } from '@fidelis/contracts';
import { differentiable, tensorAt } from '@fidelis/models';
import {
  forwardKl,
  jensenShannon,
  reverseKl,
  squaredLogits,
  squaredProbabilities,
} from './divergence-terms.js';
import { crossEntropy, multiplied, softened, sumOf, weighted, type LossTerm } from './loss-term.js';
import { warmsUp } from './loss-warm-up.js';
import { correlations, decoupled, standardisedKl } from './relation-terms.js';

/** What a batch is trained towards. */
export interface Targets {
  /** One-hot, [rows][classes]. */
  readonly labels?: Tensor2D;
  /** The teacher's combined logits, [rows][classes]. */
  readonly teacherLogits?: Tensor2D;
  /** Factor of the terms against the teacher at this step, for a loss that warms up: see `lossScalars`. */
  readonly teacherWeight?: Scalar;
}

/** Labels alone (a teacher's training), or a teacher's logits and perhaps labels (a student's). */
export type TrainingLoss = { readonly kind: 'labels' } | LossSpec;

/** Weights of NLL(labels) and of the term against the teacher. The losses of the paper share one weight; later ones publish two. */
function weightsOf(loss: LossSpec): { readonly labels: number; readonly teacher: number } {
  switch (loss.kind) {
    case 'dkd':
    case 'dist':
      return { labels: loss.alpha, teacher: 1 };
    case 'logit-std':
      return { labels: loss.alpha, teacher: loss.weight };
    default:
      return { labels: loss.alpha, teacher: 1 - loss.alpha };
  }
}

/** Whether the loss asks for labels, and for a teacher. */
export function lossNeeds(loss: TrainingLoss): { readonly labels: boolean; readonly teacher: boolean } {
  if (loss.kind === 'labels') return { labels: true, teacher: false };
  const { labels, teacher } = weightsOf(loss);
  return { labels: labels > 0 || loss.kind === 'dkd', teacher: teacher > 0 };
}

/**
 * Mean over the batch of −Σ_j y_j log softmax_j(z); gradient (softmax(z) − y)/B (paper §2.2).
 *
 * @param logits [B][C]
 * @param labels one-hot, [B][C]
 */
export function nllLoss(logits: Tensor2D, labels: Tensor2D): Scalar {
  return asOperation(logits, () => crossEntropy(logits, labels, 1));
}

/**
 * Mean over the batch of −τ² Σ_j softmax_j(z_t/τ) log softmax_j(z_s/τ): a cross-entropy, whose floor is τ² times the teacher's
 * entropy. Gradient with respect to z_s: τ (p_s^τ − p_t^τ)/B (paper §2.2).
 *
 * @param logits of the student, [B][C]
 * @param teacherLogits [B][C]
 */
export function kdLoss(logits: Tensor2D, teacherLogits: Tensor2D, temperature: number): Scalar {
  return asOperation(logits, () => kdTerm(logits, teacherLogits, temperature));
}

/** The loss with its weights, as one operation with one gradient. A term of weight 0 is not computed, and its target may be absent. */
export function trainingLoss(loss: TrainingLoss, logits: Tensor2D, targets: Targets): Scalar {
  return asOperation(logits, () => {
    const labels = (): Tensor2D => required(targets.labels, 'labels');
    if (loss.kind === 'labels') return crossEntropy(logits, labels(), 1);
    const weights = weightsOf(loss);
    const terms: LossTerm[] = [];
    if (weights.labels > 0) terms.push(weighted(crossEntropy(logits, labels(), 1), weights.labels));
    if (weights.teacher > 0) {
      const term = weighted(teacherTerm(loss, logits, targets), weights.teacher);
      terms.push(
        warmsUp(loss) ? multiplied(term, required(targets.teacherWeight, 'the factor of its warm-up')) : term,
      );
    }
    return sumOf(terms);
  });
}

/** The term against the teacher, with τ² where the spec has it (paper §2.2, §3.1 no. 8, §4b). */
function teacherTerm(loss: LossSpec, logits: Tensor2D, targets: Targets): LossTerm {
  const teacher = required(targets.teacherLogits, "the teacher's logits");
  switch (loss.kind) {
    case 'kd':
      return kdTerm(logits, teacher, loss.temperature);
    case 'reverse-kl':
      return weighted(reverseKl(logits, teacher, loss.temperature), scaleOf(loss));
    case 'symmetric-kl':
      return weighted(
        sumOf([
          weighted(forwardKl(logits, teacher, loss.temperature), loss.forwardWeight),
          weighted(reverseKl(logits, teacher, loss.temperature), loss.reverseWeight),
        ]),
        scaleOf(loss),
      );
    case 'js':
      return weighted(jensenShannon(logits, teacher, loss.temperature, loss.beta), scaleOf(loss));
    case 'hard':
      return crossEntropy(logits, mostProbable(teacher), 1);
    case 'logit-mse':
      return squaredLogits(logits, teacher);
    case 'brier':
      return weighted(squaredProbabilities(logits, teacher, loss.temperature), scaleOf(loss));
    case 'dkd':
      return weighted(
        decoupled(logits, teacher, required(targets.labels, 'labels'), loss),
        loss.temperature ** 2,
      );
    case 'dist':
      return weighted(correlations(logits, teacher, loss), loss.temperature ** 2);
    case 'logit-std':
      return weighted(standardisedKl(logits, teacher, loss.temperature), loss.temperature ** 2);
  }
}

function kdTerm(logits: Tensor2D, teacherLogits: Tensor2D, temperature: number): LossTerm {
  const { probabilities } = softened(teacherLogits, temperature);
  return weighted(crossEntropy(logits, probabilities, temperature), temperature ** 2);
}

function scaleOf({ temperature, tauSquared }: { temperature: number; tauSquared: boolean }): number {
  return tauSquared ? temperature ** 2 : 1;
}

/** One-hot of each row's greatest logit, the first of equal ones. */
function mostProbable(logits: Tensor2D): Tensor2D {
  return tf.cast(tf.oneHot(tf.argMax(logits, 1), logits.shape[1]), 'float32') as Tensor2D;
}

/** One operation whose gradient was computed along with its value. */
function asOperation(logits: Tensor2D, compute: () => LossTerm): Scalar {
  return differentiable([logits], () => {
    const { value, gradient } = compute();
    return { value, saved: [gradient], gradient: (dy, saved) => [tf.mul(tensorAt(saved, 0), dy)] };
  }) as Scalar;
}

function required<T extends Tensor>(tensor: T | undefined, what: string): T {
  if (tensor === undefined) throw new TypeError(`this loss needs ${what}`);
  return tensor;
}
