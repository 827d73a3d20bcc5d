import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Compiler, startBackend } from '@fidelis/compute';
import { batchesOf, createTableView, datasetRef } from '@fidelis/data';
import { createModel, initialWeights, type ModelWeights } from '@fidelis/models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { shapesDataset } from '../fixtures/shapes-dataset.js';
import { interpolateWeights, refreshStatistics, rescaledLearningRate } from './initialisation.js';

const dataset = shapesDataset();
const view = createTableView(dataset, { kind: 'table', dataset: datasetRef(dataset), split: 'train' });
const batches = batchesOf(view, { seed: 1, batchSize: 20 });
const resnet = createModel({ name: 'preresnet20' }, dataset.inputShape, dataset.classes);
const lenet = createModel({ name: 'lenet5' }, dataset.inputShape, dataset.classes);
const [teacher, random] = [initialWeights(resnet, 1), initialWeights(resnet, 2)];

describe('interpolation', () => {
  it.each([
    [0, random],
    [1, teacher],
  ])('at λ = %d is the one end, bit for bit', (lambda, end) => {
    expect(interpolateWeights(teacher, random, lambda)).toEqual(end);
  });

  it('lies between, in parameters and buffers', () => {
    const one = (values: number): ModelWeights => ({
      parameters: Float32Array.of(values, -values),
      buffers: Float32Array.of(10 * values),
    });
    expect(interpolateWeights(one(4), one(8), 0.375)).toEqual({
      parameters: Float32Array.of(6.5, -6.5),
      buffers: Float32Array.of(65),
    });
  });

  it('refuses a λ outside [0, 1], and weights of another architecture', () => {
    expect(() => interpolateWeights(teacher, random, 1.01)).toThrow(/lambda: 1\.01/);
    expect(() => interpolateWeights(teacher, random, Number.NaN)).toThrow(/lambda/);
    expect(() => interpolateWeights(teacher, initialWeights(lenet, 1), 0.5)).toThrow(
      expect.objectContaining({ code: 'MODEL.MISMATCH' }) as Error,
    );
  });

  it('rescales the learning rate as the published code does, never to nothing', () => {
    expect(rescaledLearningRate(0.05, 0.375)).toBeCloseTo(0.03125, 12);
    expect(rescaledLearningRate(0.05, 1)).toBe(1e-6);
  });
});

const problem = await startBackend({ preference: 'native' }).then(
  () => undefined,
  (error: Error) => error.message,
);

describe.skipIf(problem !== undefined)(
  `a refresh of statistics${problem === undefined ? '' : ` (${problem})`}`,
  () => {
    beforeAll(() => startBackend({ preference: 'native' }));

    it('moves the buffers as one epoch of forward passes, leaves the parameters and leaks nothing', async () => {
      const before = tf.memory().numTensors;
      const refreshed = await refreshStatistics(resnet, teacher, batches);
      expect(tf.memory().numTensors).toBe(before);
      expect(refreshed.parameters).toBe(teacher.parameters);
      expect(refreshed.buffers).not.toEqual(teacher.buffers);
      expect(refreshed.buffers.every(Number.isFinite)).toBe(true);
      // The statistics of what it has seen do not depend on who counted before, but for 0.9^steps of it.
      const others = { parameters: teacher.parameters, buffers: teacher.buffers.map((value) => value + 100) };
      const again = await refreshStatistics(resnet, others, batches);
      const rest = 100 * 0.9 ** batches.stepsPerEpoch;
      const largest = Math.max(
        ...again.buffers.map((value, i) => Math.abs(value - (refreshed.buffers[i] ?? 0) - rest)),
      );
      expect(largest).toBeLessThan(1e-2);
    });

    it('comes to the same as a graph', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'fidelis-graphs-'));
      try {
        const compiler = new Compiler({ directory });
        const graph = await refreshStatistics(resnet, teacher, batches, compiler);
        const eager = await refreshStatistics(resnet, teacher, batches);
        const largest = Math.max(
          ...graph.buffers.map((value, i) => Math.abs(value - (eager.buffers[i] ?? 0))),
        );
        expect(largest).toBeLessThan(1e-5);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });

    it('gives a model without statistics back as it is', async () => {
      const weights = initialWeights(lenet, 1);
      expect(await refreshStatistics(lenet, weights, batches)).toBe(weights);
    });
  },
);
