import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';

/**
 * A part of a loss: its mean over the batch, and the gradient of that with respect to the student's logits, [B][C]. Both are computed at
 * once and by hand: TensorFlow.js's own gradients are compositions with constants as large as the batch, and those of a softmax at
 * logits of ±10⁴ are not finite.
 */
export interface LossTerm {
  readonly value: Scalar;
  readonly gradient: Tensor2D;
}

/** Probabilities at a temperature, and their logarithms, which stay finite. */
export interface Softened {
  readonly probabilities: Tensor2D;
  readonly logs: Tensor2D;
}

/** softmax(z / τ): the greatest logit is taken out first, so that nothing overflows. */
export function softened(logits: Tensor2D, temperature: number): Softened {
  const scaledLogits = scaled(logits, 1 / temperature);
  const centred = tf.sub<Tensor2D>(scaledLogits, tf.max(scaledLogits, 1, true));
  const logs = tf.sub<Tensor2D>(centred, tf.log(tf.sum(tf.exp(centred), 1, true)));
  return { probabilities: tf.exp(logs), logs };
}

/** Gradient with respect to z where it is `upstream` with respect to q = softmax(z / τ): q (g − Σ q g) / τ. */
export function throughSoftmax(
  upstream: Tensor2D,
  { probabilities }: Softened,
  temperature: number,
): Tensor2D {
  const mean = tf.sum(tf.mul(probabilities, upstream), 1, true);
  return scaled(tf.mul(probabilities, tf.sub(upstream, mean)), 1 / temperature);
}

/**
 * Mean over the batch of −Σ p log softmax(z/τ), and its gradient: TensorFlow's kernel gives the cross-entropy and softmax(z/τ) − p together.
 *
 * @param probabilities [B][C], each row sums to 1
 */
export function crossEntropy(logits: Tensor2D, probabilities: Tensor2D, temperature: number): LossTerm {
  const [losses, difference] = tf.engine().runKernel<Tensor[]>('SoftmaxCrossEntropyWithLogits', {
    features: scaled(logits, 1 / temperature),
    labels: probabilities,
  });
  if (losses === undefined || difference === undefined) throw new TypeError('the kernel gives two tensors');
  return meanOverBatch(losses, scaled(difference as Tensor2D, 1 / temperature));
}

/**
 * @param values sum to the batch's value
 * @param gradient of their sum, [B][C]
 */
export function meanOverBatch(values: Tensor, gradient: Tensor2D): LossTerm {
  const [rows] = gradient.shape;
  return { value: scaled(tf.sum(values), 1 / rows), gradient: scaled(gradient, 1 / rows) };
}

export function weighted({ value, gradient }: LossTerm, weight: number): LossTerm {
  return { value: scaled(value, weight), gradient: scaled(gradient, weight) };
}

/** As `weighted`, by a factor that is an input of the step. */
export function multiplied({ value, gradient }: LossTerm, factor: Scalar): LossTerm {
  return { value: tf.mul(value, factor), gradient: tf.mul(gradient, factor) };
}

export function sumOf(terms: readonly LossTerm[]): LossTerm {
  const [first, ...rest] = terms;
  if (first === undefined) throw new RangeError('a loss has at least one term');
  return rest.reduce(
    (sum, term) => ({
      value: tf.add(sum.value, term.value),
      gradient: tf.add(sum.gradient, term.gradient),
    }),
    first,
  );
}

export function scaled<T extends Tensor>(tensor: T, factor: number): T {
  return factor === 1 ? tensor : tf.mul(tensor, factor);
}
