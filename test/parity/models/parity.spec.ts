import { startBackend } from '@fidelis/compute';
import { inputDimensions } from '@fidelis/data';
import {
  createModel,
  differentiable,
  decodeSafetensors,
  encodeSafetensors,
  exportTorchWeights,
  importTorchWeights,
  tensorAt,
  unflatten,
  unflattenBuffers,
  type Model,
  type ModelWeights,
} from '@fidelis/models';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  distance,
  inputsOf,
  readGolden,
  relativeDistance,
  targetsOf,
  torchFile,
  type GoldenCase,
} from './golden.js';
import { nativeProblemOnDevice, toleranceOnDevice } from '../device.js';

const nativeProblem = await nativeProblemOnDevice();
const cases = readGolden();
/** Of each tensor's norm, in float32. */
const TOLERANCE = toleranceOnDevice(1e-4);
const report: string[] = [];

interface Step {
  readonly logits: Float32Array;
  readonly loss: number;
  readonly gradient: Float32Array;
  readonly buffers: Float32Array;
}

/** `tidy` looks through what it is given back for tensors, value by value: arrays of millions leave by the side. */
function tidied<T>(compute: () => T): T {
  const results: T[] = [];
  tf.tidy(() => void results.push(compute()));
  const [result] = results;
  if (result === undefined) throw new Error('nothing was computed');
  return result;
}

function evalLogits(golden: GoldenCase, model: Model, weights: ModelWeights): Float32Array {
  return tidied(() => {
    const inputs = tf.tensor(inputsOf(golden), [golden.rows, ...inputDimensions(golden.inputShape)]);
    const pass = {
      parameters: unflatten(model, tf.tensor1d(weights.parameters)),
      buffers: unflattenBuffers(model, tf.tensor1d(weights.buffers)),
      mode: 'eval',
    } as const;
    return model.forward(pass, inputs).logits.dataSync<'float32'>().slice();
  });
}

/** Cross-entropy with soft targets, with a gradient of its own as in training. */
function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  const [rows] = logits.shape;
  return differentiable([logits], () => {
    const logSoftmax = tf.logSoftmax(logits);
    return {
      value: tf.neg(tf.div(tf.sum(tf.mul(targets, logSoftmax)), rows)),
      saved: [tf.exp(logSoftmax)],
      gradient: (dy, saved) => [tf.mul(dy, tf.div(tf.sub(tensorAt(saved, 0), targets), rows))],
    };
  }) as tf.Scalar;
}

function trainStep(golden: GoldenCase, model: Model, weights: ModelWeights): Step {
  return tidied(() => {
    const inputs = tf.tensor(inputsOf(golden), [golden.rows, ...inputDimensions(golden.inputShape)]);
    const targets = tf.softmax(tf.mul(tf.tensor2d(targetsOf(golden), [golden.rows, golden.classes]), 3));
    const buffers = unflattenBuffers(model, tf.tensor1d(weights.buffers));
    const parameters = unflatten(model, tf.tensor1d(weights.parameters));
    const trained = model.forward({ parameters, buffers, mode: 'train' }, inputs);
    const { value, grads } = tf.valueAndGrads((...pieces: tf.Tensor[]) => {
      const { logits } = model.forward({ parameters: pieces, buffers, mode: golden.gradientMode }, inputs);
      return crossEntropy(logits, targets as tf.Tensor2D);
    })(parameters);
    const [loss = Number.NaN] = value.dataSync();
    return {
      logits: trained.logits.dataSync<'float32'>().slice(),
      loss,
      gradient: joined(grads.map((gradient) => gradient.dataSync<'float32'>().slice())),
      buffers: joined(trained.buffers.map((buffer) => buffer.dataSync<'float32'>().slice())),
    };
  });
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [left, right] = [a, b].map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength));
  return left !== undefined && right !== undefined && left.equals(right);
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const array of arrays) {
    all.set(array, offset);
    offset += array.length;
  }
  return all;
}

const title = `$name against PyTorch${nativeProblem === undefined ? '' : ` (${nativeProblem})`}`;
describe.skipIf(nativeProblem !== undefined).each(cases)(title, (golden) => {
  const model = createModel(golden.architecture, golden.inputShape, golden.classes);
  let file: Uint8Array;
  let weights: ModelWeights;
  let step: Step;

  beforeAll(async () => {
    await startBackend({ preference: 'native' });
    file = torchFile(golden);
    weights = importTorchWeights(model, file);
    step = trainStep(golden, model, weights);
  });

  it('leaks no tensor', () => {
    const before = tf.memory().numTensors;
    trainStep(golden, model, weights);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('takes its weights, and gives them back bit for bit', () => {
    const original = decodeSafetensors(file);
    const returned = decodeSafetensors(exportTorchWeights(model, weights));
    const byName = new Map(returned.tensors.map((tensor) => [tensor.name, tensor]));
    expect(byName.size).toBe(original.tensors.length);
    for (const { name, shape, values } of original.tensors) {
      const tensor = byName.get(name);
      expect(tensor?.shape, name).toEqual(shape);
      expect(tensor !== undefined && sameBits(tensor.values, values), name).toBe(true);
    }
  });

  it('has the same logits, in eval and in train mode, and the same loss', () => {
    const evaluated = relativeDistance(evalLogits(golden, model, weights), golden.values.get('eval'));
    const trained = relativeDistance(step.logits, golden.values.get('train'));
    const [loss = Number.NaN] = golden.values.get('loss') ?? [];
    report.push(`${golden.name}: eval ${evaluated.toExponential(1)}, train ${trained.toExponential(1)}`);
    expect(evaluated).toBeLessThan(TOLERANCE);
    expect(trained).toBeLessThan(TOLERANCE);
    expect(Math.abs(step.loss - loss) / loss).toBeLessThan(TOLERANCE);
  });

  it('has the same gradient of every parameter, and the same running statistics', () => {
    // Gradients have the layouts of the parameters: exported, they are PyTorch's.
    const asTorch = decodeSafetensors(
      exportTorchWeights(model, { parameters: step.gradient, buffers: step.buffers }),
    );
    const distances = asTorch.tensors.map(({ name, values }) => {
      const kind = name.includes('running_') ? 'buffer' : 'gradient';
      return { name, distance: distance(golden, `${kind}/${name}`, values) };
    });
    const worst = distances.reduce((a, b) => (b.distance > a.distance || Number.isNaN(b.distance) ? b : a));
    report.push(`${golden.name}: gradients ${worst.distance.toExponential(1)} (${worst.name})`);
    expect(distances.filter((entry) => !(entry.distance < TOLERANCE))).toEqual([]);
  });
});

describe('files of PyTorch', () => {
  const golden = cases.find(({ name }) => name === 'preresnet20');
  if (golden === undefined) throw new Error('the golden files have no preresnet20');
  const model = createModel(golden.architecture, golden.inputShape, golden.classes);

  it('may have counters of batches, and names of their own', () => {
    const { tensors } = decodeSafetensors(torchFile(golden));
    const renamed = tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(/^fc\./, 'head.') }));
    const counter = { name: 'bn.num_batches_tracked', shape: [1], values: new Float32Array(1) };
    const file = encodeSafetensors({ tensors: [...renamed, counter], metadata: {} });
    expect(() => importTorchWeights(model, file)).toThrow(
      'tensor "fc.weight" is missing, and "head.weight" is none',
    );
    expect(importTorchWeights(model, file, { dense: 'head' })).toEqual(
      importTorchWeights(model, torchFile(golden)),
    );
  });
});

afterAll(() => {
  if (process.env['PARITY_REPORT'] !== undefined) process.stdout.write(`${report.join('\n')}\n`);
});
