import { startBackend } from '@fidelis/compute';
import type { ArchitectureSpec } from '@fidelis/contracts';
import { inputDimensions, inputLength, isImageShape, type InputShape } from '@fidelis/data';
import {
  createModel,
  initialWeights,
  unflatten,
  unflattenBuffers,
  type Model,
  type ModelWeights,
} from '@fidelis/models';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

const nativeProblem = await startBackend({ preference: 'native' }).then(
  () => undefined,
  (error: Error) => error.message,
);

const ROWS = 3;
const small = { height: 32, width: 32, channels: 3 };
const models: [ArchitectureSpec, InputShape][] = [
  [{ name: 'lenet5' }, { height: 28, width: 28, channels: 1 }],
  [{ name: 'mlp' }, small],
  [{ name: 'preresnet20' }, small],
  [{ name: 'preresnet20', norm: 'layer' }, small],
  [{ name: 'preresnet56' }, { height: 8, width: 9, channels: 1 }],
  [{ name: 'vgg16' }, small],
  [{ name: 'resnet50' }, { height: 35, width: 32, channels: 3 }],
  [{ name: 'bilstm' }, { length: 7, vocabulary: 20 }],
];

function inputsFor(shape: InputShape): tf.Tensor {
  const length = inputLength(shape);
  const values = Float32Array.from({ length: ROWS * length }, (_, i) => {
    if (isImageShape(shape)) return Math.sin(i * 0.7);
    return i % length < 2 + Math.floor(i / length) ? 1 + ((i * 7) % 19) : 0;
  });
  return tf.tensor(values, [ROWS, ...inputDimensions(shape)]);
}

function logits(model: Model, { parameters, buffers }: ModelWeights): Float32Array {
  return tf.tidy(() => {
    const pass = {
      parameters: unflatten(model, tf.tensor1d(parameters)),
      buffers: unflattenBuffers(model, tf.tensor1d(buffers)),
      mode: 'eval' as const,
    };
    return model.forward(pass, inputsFor(model.inputShape)).logits.dataSync<'float32'>().slice();
  });
}

describe.skipIf(nativeProblem !== undefined)('on wasm as on native', () => {
  it.each(models)('%j infers, and leaks no tensor', { timeout: 180_000 }, async (architecture, shape) => {
    const model = createModel(architecture, shape, 4);
    const weights = initialWeights(model, 3);
    await startBackend({ preference: 'native' });
    const expected = logits(model, weights);
    await startBackend({ preference: 'wasm' });
    const before = tf.memory().numTensors;
    const actual = logits(model, weights);
    expect(tf.memory().numTensors).toBe(before);
    const size = Math.hypot(...expected);
    expect(Math.hypot(...actual.map((value, i) => value - (expected[i] ?? NaN)))).toBeLessThan(1e-4 * size);
  });

  it('what cannot be trained says so', async () => {
    await startBackend({ preference: 'wasm' });
    const model = createModel({ name: 'preresnet20' }, small, 4);
    const { parameters, buffers } = initialWeights(model, 3);
    const differentiate = (): unknown =>
      tf.tidy(() => {
        const inputs = inputsFor(small);
        const running = unflattenBuffers(model, tf.tensor1d(buffers));
        return tf.grads(
          (...pieces: tf.Tensor[]) =>
            model.forward({ parameters: pieces, buffers: running, mode: 'train' }, inputs).logits,
        )(unflatten(model, tf.tensor1d(parameters)));
      });
    expect(differentiate).toThrow(
      'the wasm backend cannot train batch normalisation: lenet5 and mlp train there',
    );
  });
});
