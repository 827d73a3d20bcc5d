import { startBackend } from '@fidelis/compute';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createModel } from './create-model.js';
import { unflatten } from './flat-parameters.js';
import { initialise } from './initialise.js';

const nativeProblem = await startBackend({ preference: 'native' }).then(
  () => undefined,
  (error: Error) => error.message,
);

const model = createModel({ name: 'lenet5' }, { height: 28, width: 28, channels: 1 }, 10);
const images = Float32Array.from({ length: 2 * 784 }, (_, i) => Math.sin(i * 0.7));

function lossAndGradient(flat: Float32Array): { loss: number; gradient: Float32Array } {
  return tf.tidy(() => {
    const inputs = tf.tensor4d(images, [2, 28, 28, 1]);
    const weights = tf.tensor2d(
      Float32Array.from({ length: 20 }, (_, i) => Math.cos(i)),
      [2, 10],
    );
    const pieces = unflatten(model, tf.tensor1d(flat));
    const forward = (...parameters: tf.Tensor[]): tf.Tensor =>
      model.forward({ parameters, buffers: [], mode: 'train' }, inputs).logits;
    const gradients = tf.grads(forward)(pieces, weights);
    const value = tf.sum(tf.mul(forward(...pieces), weights)).dataSync<'float32'>();
    const gradient = tf.concat(gradients.map((g) => tf.reshape(g, [-1]))).dataSync<'float32'>();
    return { loss: value[0] ?? Number.NaN, gradient: gradient.slice() };
  });
}

for (const preference of ['native', 'wasm'] as const) {
  const problem = preference === 'native' ? nativeProblem : undefined;
  describe.skipIf(problem !== undefined)(
    `LeNet-5 on ${preference}${problem === undefined ? '' : ` (${problem})`}`,
    () => {
      beforeAll(() => startBackend({ preference }));

      it('has the gradient that finite differences have, in every layer', () => {
        const flat = initialise(model, 3);
        const { gradient } = lossAndGradient(flat);
        let offset = 0;
        for (const { shape, name } of model.parameters) {
          const size = shape.reduce((a, b) => a * b, 1);
          const places = Array.from({ length: size }, (_, i) => offset + i);
          // The largest entry of each parameter: float32 differences drown the small ones.
          const place = places.reduce((a, b) =>
            Math.abs(gradient[b] ?? 0) > Math.abs(gradient[a] ?? 0) ? b : a,
          );
          const step = 2e-3;
          const lossAt = (shift: number): number => {
            const moved = flat.slice();
            moved[place] = (moved[place] ?? 0) + shift;
            return lossAndGradient(moved).loss;
          };
          const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
          expect(Math.abs(slope - (gradient[place] ?? 0)), name).toBeLessThan(0.05 * Math.abs(slope) + 1e-3);
          offset += size;
        }
      });

      it('leaks no tensor', () => {
        const flat = initialise(model, 3);
        lossAndGradient(flat);
        const before = tf.memory().numTensors;
        lossAndGradient(flat);
        expect(tf.memory().numTensors).toBe(before);
      });
    },
  );
}

it.skipIf(nativeProblem !== undefined)('native and wasm agree on gradients', async () => {
  const flat = initialise(model, 3);
  await startBackend({ preference: 'native' });
  const native = lossAndGradient(flat);
  await startBackend({ preference: 'wasm' });
  const wasm = lossAndGradient(flat);
  const largest = Math.max(...wasm.gradient.map((g, i) => Math.abs(g - (native.gradient[i] ?? 0))));
  expect(largest).toBeLessThan(1e-4);
});
