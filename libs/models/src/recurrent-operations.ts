import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { differentiable, runKernel, runKernels, tensorAt } from './differentiable.js';

/**
 * The operations of recurrent networks. Sequences of a batch have different lengths, and are padded at the end. A recurrent layer looks
 * back only, so what it makes of the padding reaches nothing before it; the layer that reads backwards gets each sequence turned round
 * within its own length. Padding so never matters, without a mask.
 */

/**
 * Rows of a table.
 *
 * @param table [R, C]
 * @param rows [T, N] int32, each 0…R−1
 * @returns [T, N, C]
 */
export function lookUp(table: Tensor2D, rows: Tensor2D): Tensor3D {
  const [count, columns] = table.shape;
  return differentiable([table], () => ({
    value: runKernel('TableLookup', { table, rows }),
    saved: [rows],
    gradient: (dy, saved) => [
      runKernel(
        'UnsortedSegmentSum',
        { x: tf.reshape(dy, [-1, columns]), segmentIds: tf.reshape(tensorAt(saved, 0), [-1]) },
        { numSegments: count },
      ),
    ],
  })) as Tensor3D;
}

/**
 * The first `lengths[n]` steps of each sequence in the opposite order; the padding stays where it is.
 *
 * @param x [T, N, C]
 * @param lengths [N] int32, each 1…T
 */
export function reverseSequences(x: Tensor3D, lengths: Tensor1D): Tensor3D {
  return differentiable([x], () => ({
    value: runKernel('ReverseSequence', { x, lengths }),
    saved: [lengths],
    gradient: (dy, saved) => [runKernel('ReverseSequence', { x: dy, lengths: tensorAt(saved, 0) })],
  })) as Tensor3D;
}

/** The first step of each sequence: [T, N, C] → [N, C]. */
export function firstStep(x: Tensor3D): Tensor2D {
  const [steps, rows, columns] = x.shape;
  return differentiable([x], () => ({
    value: tf.reshape(tf.slice(x, [0, 0, 0], [1, rows, columns]), [rows, columns]),
    saved: [],
    gradient: (dy) => [
      tf.pad(tf.reshape(dy, [1, rows, columns]), [
        [0, steps - 1],
        [0, 0],
        [0, 0],
      ]),
    ],
  })) as Tensor2D;
}

/** Side by side along the last axis. */
export function join<T extends Tensor>(a: T, b: T): T {
  const axis = a.rank - 1;
  const widths = [a, b].map(({ shape }) => shape[axis] ?? 0);
  return differentiable([a, b], () => ({
    value: tf.concat([a as Tensor, b as Tensor], axis),
    saved: [],
    gradient: (dy) => tf.split(dy, widths, axis),
  })) as T;
}

export interface LstmWeights {
  /** [I, 4H], gates in the order input, forget, cell, output. */
  readonly input: Tensor2D;
  /** [H, 4H] */
  readonly hidden: Tensor2D;
  /** [4H] each; they are added. */
  readonly inputBias: Tensor1D;
  readonly hiddenBias: Tensor1D;
}

/** What the gradient's kernel reads of a recurrent layer's run. */
const STATE_NAMES = ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'] as const;
const HIDDEN = STATE_NAMES.indexOf('h');

/**
 * A recurrent layer of long short-term memory, from a state of zeros (Hochreiter and Schmidhuber 1997, without peepholes: PyTorch's LSTM).
 *
 * @param x [T, N, I]
 * @returns hidden states, [T, N, H]
 */
export function lstm(x: Tensor3D, weights: LstmWeights): Tensor3D {
  const { input, hidden, inputBias, hiddenBias } = weights;
  const [steps, rows, inputs] = x.shape;
  const cells = hidden.shape[0];
  const fixed = (): { state: Tensor; unused: Tensor } => ({
    state: tf.zeros([rows, cells]),
    unused: tf.zeros([cells]),
  });
  return differentiable([x, input, hidden, inputBias, hiddenBias], () => {
    const w = tf.concat([input, hidden], 0);
    const b = tf.add(inputBias, hiddenBias);
    const states = runKernels('BlockLSTM', { x, w, b, ...fixed() });
    return {
      value: tensorAt(states, HIDDEN),
      saved: [x, w, b, ...states],
      gradient: (dy, saved) => {
        const outputs = STATE_NAMES.map((name, index) => [name, tensorAt(saved, 3 + index)] as const);
        const [dx, dw, db] = runKernels('BlockLSTMGrad', {
          x: tensorAt(saved, 0),
          w: tensorAt(saved, 1),
          b: tensorAt(saved, 2),
          ...fixed(),
          ...Object.fromEntries(outputs),
          csGradient: tf.zeros([steps, rows, cells]),
          hGradient: dy,
        });
        if (dx === undefined || dw === undefined || db === undefined) {
          throw new RangeError('the recurrent layer has three gradients');
        }
        const [dInput, dHidden] = tf.split(dw, [inputs, cells], 0);
        return [dx, dInput, dHidden, db, tf.clone(db)].map((gradient) => gradient ?? db);
      },
    };
  }) as Tensor3D;
}
