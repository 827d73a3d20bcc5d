import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import type { SgdSpec } from '@fidelis/contracts';

/**
 * One step of stochastic gradient descent as PyTorch's `SGD` does it (dampening 0):
 *
 *     g ← gradient + weightDecay · parameters
 *     velocity ← momentum · velocity + g
 *     d ← g + momentum · velocity   (Nesterov)      or   velocity
 *     parameters ← parameters − rate · d
 *
 * With the velocity zero at the start, the first step equals PyTorch's, which takes g itself.
 * Pure: the given tensors stay, the new ones are the caller's.
 */
export function sgdStep(
  { parameters, velocity }: { readonly parameters: Tensor1D; readonly velocity: Tensor1D },
  gradient: Tensor1D,
  rate: Scalar,
  optimizer: Pick<SgdSpec, 'momentum' | 'nesterov' | 'weightDecay'>,
): { readonly parameters: Tensor1D; readonly velocity: Tensor1D } {
  const { momentum, nesterov, weightDecay } = optimizer;
  const g = weightDecay === 0 ? gradient : tf.add<Tensor1D>(gradient, tf.mul(parameters, weightDecay));
  const nextVelocity = momentum === 0 ? tf.clone(g) : tf.add<Tensor1D>(tf.mul(velocity, momentum), g);
  const direction = nesterov ? tf.add(g, tf.mul(nextVelocity, momentum)) : nextVelocity;
  return { parameters: tf.sub(parameters, tf.mul(direction, rate)), velocity: nextVelocity };
}
