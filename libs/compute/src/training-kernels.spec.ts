import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { reasonOf } from './backend-report.js';
import { startBackend } from './start-backend.js';

const nativeProblem = await startBackend({ preference: 'native' }).then(() => undefined, reasonOf);

/** A fixed sequence of values in [−1, 1). */
function values(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 1_073_741_824 - 1;
  });
}

function run(kernel: string, inputs: tf.NamedTensorMap, attributes: tf.NamedAttrMap = {}): Float32Array {
  const output: tf.Tensor = tf.engine().runKernel(kernel, inputs, attributes);
  return output.dataSync<'float32'>();
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i] ?? Number.NaN, 4);
}

interface Convolution {
  readonly n: number;
  readonly size: number;
  readonly filter: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly pad: 'same' | 'valid';
}

/** Walks every product of a convolution at stride 1 with flat indices into x, filter and output. */
function forEachProduct(
  { n, size, filter, inputs, outputs, pad }: Convolution,
  visit: (x: number, w: number, y: number) => void,
): void {
  const out = pad === 'same' ? size : size - filter + 1;
  const before = pad === 'same' ? Math.floor((filter - 1) / 2) : 0;
  for (const [sample, row, column, i, j, input, output] of indices([
    n,
    out,
    out,
    filter,
    filter,
    inputs,
    outputs,
  ])) {
    const r = row + i - before;
    const c = column + j - before;
    if (r < 0 || c < 0 || r >= size || c >= size) continue;
    visit(
      ((sample * size + r) * size + c) * inputs + input,
      ((i * filter + j) * inputs + input) * outputs + output,
      ((sample * out + row) * out + column) * outputs + output,
    );
  }
}

type Seven = [number, number, number, number, number, number, number];

/** All index tuples of an array with seven axes of these lengths. */
function* indices(lengths: Seven): Generator<Seven> {
  const total = lengths.reduce((product, length) => product * length, 1);
  for (let flat = 0; flat < total; flat++) {
    let rest = flat;
    yield lengths.map((length) => {
      const index = rest % length;
      rest = Math.floor(rest / length);
      return index;
    }) as Seven;
  }
}

const convolutions: Convolution[] = [
  { n: 2, size: 6, filter: 5, inputs: 1, outputs: 3, pad: 'same' },
  { n: 3, size: 7, filter: 5, inputs: 2, outputs: 4, pad: 'valid' },
  { n: 2, size: 5, filter: 4, inputs: 2, outputs: 2, pad: 'same' },
];

for (const preference of ['native', 'wasm'] as const) {
  const problem = preference === 'native' ? nativeProblem : undefined;
  const title = `training kernels on ${preference}${problem === undefined ? '' : ` (${problem})`}`;
  describe.skipIf(problem !== undefined)(title, () => {
    beforeAll(() => startBackend({ preference }));

    it.each(convolutions)('differentiates a convolution: $pad, $size with $filter', (shape) => {
      const out = shape.pad === 'same' ? shape.size : shape.size - shape.filter + 1;
      const xShape: [number, number, number, number] = [shape.n, shape.size, shape.size, shape.inputs];
      const wShape: [number, number, number, number] = [
        shape.filter,
        shape.filter,
        shape.inputs,
        shape.outputs,
      ];
      const x = values(tf.util.sizeFromShape(xShape), 1);
      const w = values(tf.util.sizeFromShape(wShape), 2);
      const dy = values(shape.n * out * out * shape.outputs, 3);
      const dx = new Float32Array(x.length);
      const dw = new Float32Array(w.length);
      forEachProduct(shape, (xi, wi, yi) => {
        dx[xi] = (dx[xi] ?? 0) + (w[wi] ?? 0) * (dy[yi] ?? 0);
        dw[wi] = (dw[wi] ?? 0) + (x[xi] ?? 0) * (dy[yi] ?? 0);
      });
      const attributes = { strides: 1, pad: shape.pad, dataFormat: 'NHWC' };
      const dyTensor = tf.tensor4d(dy, [shape.n, out, out, shape.outputs]);
      expectClose(
        run(
          'Conv2DBackpropFilter',
          { x: tf.tensor4d(x, xShape), dy: dyTensor },
          { ...attributes, filterShape: wShape },
        ),
        dw,
      );
      expectClose(
        run(
          'Conv2DBackpropInput',
          { dy: dyTensor, filter: tf.tensor4d(w, wShape) },
          { ...attributes, inputShape: xShape },
        ),
        dx,
      );
    });

    it('passes the gradient of a maximum to where it came from', () => {
      const x = tf.tensor4d([1, 2, 5, 3, 4, 0, 7, 6], [1, 2, 4, 1]);
      const y = tf.maxPool(x, 2, 2, 'valid');
      const dy = tf.tensor4d([10, 20], [1, 1, 2, 1]);
      expectClose(
        run('MaxPoolGrad', { dy, input: x, output: y }, { filterSize: 2, strides: 2, pad: 'valid' }),
        [0, 0, 0, 0, 10, 0, 20, 0],
      );
    });

    it('passes the gradient of a maximum below zero to where it came from, and of equals to the first', () => {
      const x = tf.tensor4d([-1, -2, -5, -5, -4, -7, -7, -6, -5, -5, 0, -1], [1, 2, 6, 1]);
      const y = tf.maxPool(x, 2, 2, 'valid');
      const dy = tf.tensor4d([10, 20, 30], [1, 1, 3, 1]);
      expectClose(
        run('MaxPoolGrad', { dy, input: x, output: y }, { filterSize: 2, strides: 2, pad: 'valid' }),
        [10, 0, 20, 0, 0, 0, 0, 0, 0, 0, 30, 0],
      );
    });

    it('adds a bias and sums its gradient over all other axes', () => {
      const value = tf.tensor4d(values(24), [2, 2, 2, 3]);
      const bias = tf.tensor1d([1, 2, 3]);
      expectClose(
        run('BiasAdd', { value, bias }),
        values(24).map((v, i) => v + 1 + (i % 3)),
      );
      const sums = [0, 0, 0];
      values(24).forEach((v, i) => (sums[i % 3] = (sums[i % 3] ?? 0) + v));
      expectClose(run('BiasAddGrad', { dy: value }), sums);
    });

    it('lets the gradient of a ReLU through where it was active', () => {
      const dy = tf.tensor1d([1, 2, 3, 4]);
      const y = tf.tensor1d([0, 0.5, 0, 3]);
      expectClose(run('ReluGrad', { dy, y }), [0, 2, 0, 4]);
    });

    it('gives cross-entropy and its gradient, also for large logits', () => {
      const features = tf.tensor2d([1, 2, 3, 1_000, 0, -1_000], [2, 3]);
      const labels = tf.tensor2d([0.2, 0.3, 0.5, 1, 0, 0], [2, 3]);
      const outputs = tf
        .engine()
        .runKernel<tf.Tensor[]>('SoftmaxCrossEntropyWithLogits', { features, labels })
        .map((tensor) => tensor.dataSync<'float32'>());
      const normaliser = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3));
      const loss = 0.2 * (normaliser - 1) + 0.3 * (normaliser - 2) + 0.5 * (normaliser - 3);
      expectClose(outputs[0] ?? [], [loss, 0]);
      expectClose(outputs[1] ?? [], [
        Math.exp(1 - normaliser) - 0.2,
        Math.exp(2 - normaliser) - 0.3,
        Math.exp(3 - normaliser) - 0.5,
        0,
        0,
        0,
      ]);
    });

    it('multiplies transposed matrices', () => {
      const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
      const b = tf.tensor2d([1, 0, 2, 0, 1, 1], [2, 3]);
      expectClose(tf.matMul(a, b, true, true).dataSync(), [11, 8, 14, 10]);
      expectClose(tf.matMul(a, a, true, false).dataSync(), [35, 44, 44, 56]);
      expectClose(tf.matMul(b, b, false, true).dataSync(), [5, 2, 2, 2]);
    });

    it('leaks no tensor', () => {
      const once = (): void =>
        tf.tidy(() => {
          const x = tf.tensor4d(values(72), [2, 6, 6, 1]);
          const dy = tf.tensor4d(values(216), [2, 6, 6, 3]);
          run(
            'Conv2DBackpropFilter',
            { x, dy },
            { strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: [5, 5, 1, 3] },
          );
          run('BiasAddGrad', { dy });
        });
      once();
      const before = tf.memory().numTensors;
      once();
      expect(tf.memory().numTensors).toBe(before);
    });
  });
}
