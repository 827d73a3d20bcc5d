import { startBackend } from '@fidelis/compute';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { sgdStep } from './sgd.js';

beforeAll(() => startBackend());

/**
 * Three steps from p = (1, −2) with gradient = 2p, rate 0.1, by PyTorch's documented rule in float64; the first step's
 * buffer is the gradient itself.
 */
function reference(momentum: number, nesterov: boolean, weightDecay: number): number[] {
  return [1, -2].map((start) => {
    let p = start;
    let buffer: number | undefined;
    for (let step = 0; step < 3; step++) {
      const g = 2 * p + weightDecay * p;
      buffer = buffer === undefined ? g : momentum * buffer + g;
      p -= 0.1 * (nesterov ? g + momentum * buffer : buffer);
    }
    return p;
  });
}

describe('sgdStep', () => {
  it.each([
    { momentum: 0, nesterov: false, weightDecay: 0 },
    { momentum: 0.9, nesterov: false, weightDecay: 0 },
    { momentum: 0.9, nesterov: true, weightDecay: 0 },
    { momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  ])("does what PyTorch's SGD does: $momentum, $nesterov, $weightDecay", (optimizer) => {
    let state = { parameters: tf.tensor1d([1, -2]), velocity: tf.tensor1d([0, 0]) };
    for (let step = 0; step < 3; step++) {
      state = sgdStep(state, tf.mul(state.parameters, 2), tf.scalar(0.1), optimizer);
    }
    const wanted = reference(optimizer.momentum, optimizer.nesterov, optimizer.weightDecay);
    state.parameters.dataSync().forEach((p, i) => expect(p).toBeCloseTo(wanted[i] ?? Number.NaN, 5));
  });

  it('leaves what it is given as it is', () => {
    const state = { parameters: tf.tensor1d([1]), velocity: tf.tensor1d([0.5]) };
    const gradient = tf.tensor1d([3]);
    const next = sgdStep(state, gradient, tf.scalar(0.1), { momentum: 0, nesterov: false, weightDecay: 0 });
    tf.dispose([next.parameters, next.velocity]);
    expect([...gradient.dataSync(), ...state.parameters.dataSync(), ...state.velocity.dataSync()]).toEqual([
      3, 1, 0.5,
    ]);
  });
});
