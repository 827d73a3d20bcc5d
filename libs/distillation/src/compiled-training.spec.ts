import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Compiler, startBackend } from '@fidelis/compute';
import { lossSchema, optimizerSchema, type ArchitectureName, type LossSpec } from '@fidelis/contracts';
import { batchesOf, createTableView, datasetRef, type Batch } from '@fidelis/data';
import { createModel, initialWeights, type Model, type ModelWeights } from '@fidelis/models';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shapesDataset } from '../fixtures/shapes-dataset.js';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
import { Predictor } from './predict.js';
import type { TargetProvider } from './target-provider.js';
import { train, type TrainingOutcome, type TrainOptions } from './train.js';
import { startingState, type TrainingState } from './training-state.js';

const nativeProblem = await startBackend({ preference: 'native' }).then(
  () => undefined,
  (error: Error) => error.message,
);

const dataset = shapesDataset();
const view = createTableView(dataset, { kind: 'table', dataset: datasetRef(dataset), split: 'train' });
const adamw = optimizerSchema.parse({ kind: 'adamw', learningRate: 0.001, clipNorm: 1 });
const kd = lossSchema.parse({ alpha: 0.25 });
/** Its factor is 1/6 at the first step, and 1 from the sixth on. */
const warmingUp = lossSchema.parse({ kind: 'dkd', warmUpEpochs: 2 });

/** Logits that depend on the sample alone. */
const taught: TargetProvider = {
  framesConsumed: 1,
  framesTrained: 1,
  trained: () => undefined,
  waitSeconds: 0,
  targets: (_step, { ids }: Batch) =>
    Promise.resolve(
      Float32Array.from(
        { length: ids.length * 3 },
        (_, i) => (((ids[Math.floor(i / 3)] ?? 0) * 5 + i) % 7) - 3,
      ),
    ),
};

function modelOf(name: ArchitectureName): Model {
  return createModel({ name }, dataset.inputShape, dataset.classes);
}

const [lenet, mlp, resnet] = [modelOf('lenet5'), modelOf('mlp'), modelOf('preresnet20')];

function options(model: Model, overrides: Partial<TrainOptions> = {}): TrainOptions {
  const { optimizer = adamw } = overrides;
  return {
    model,
    optimizer,
    schedule: { kind: 'cosine', floor: 0, warmUpEpochs: 1 },
    loss: kd,
    targets: taught,
    // 60 samples: the last of three batches of an epoch is shorter.
    batches: batchesOf(view, { seed: 4, batchSize: 25 }),
    epochs: 2,
    initial: startingState(model, initialWeights(model, 9), optimizer),
    ...overrides,
  };
}

/** The first step and no more. */
async function firstStep(given: TrainOptions): Promise<ModelWeights> {
  const only = { ...given.batches, stepsPerEpoch: 1 };
  return train({ ...given, batches: only, epochs: 1, schedule: { kind: 'constant', floor: 0 } });
}

/** Of all that a training leaves: the matchers take seconds over arrays of this length. */
function digestOf({ parameters, buffers, slots, step, loss }: TrainingState): string {
  const hash = createHash('sha256').update(JSON.stringify([step, loss]));
  for (const values of [parameters, buffers, ...slots]) hash.update(values);
  return hash.digest('hex');
}

function distance(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let size = 0;
  a.forEach((value, i) => {
    difference += (value - (b[i] ?? Number.NaN)) ** 2;
    size += value ** 2;
  });
  return Math.sqrt(difference / Math.max(size, Number.MIN_VALUE));
}

/** Greatest distance of a parameter or buffer, as a part of its norm. */
function distanceByTensor(model: Model, a: ModelWeights, b: ModelWeights): number {
  const distances: number[] = [];
  for (const [specs, left, right] of [
    [model.parameters, a.parameters, b.parameters],
    [model.buffers, a.buffers, b.buffers],
  ] as const) {
    let offset = 0;
    for (const { shape } of specs) {
      const end = offset + shape.reduce((product, length) => product * length, 1);
      distances.push(distance(left.subarray(offset, end), right.subarray(offset, end)));
      offset = end;
    }
  }
  return Math.max(...distances);
}

describe.skipIf(nativeProblem !== undefined)(
  `training as a graph${nativeProblem === undefined ? '' : ` (${nativeProblem})`}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'fidelis-graphs-'));
    const reasons: string[] = [];
    const compiler = new Compiler({
      directory,
      onEager: (name, reason) => void reasons.push(`${name}: ${reason}`),
    });
    beforeAll(() => startBackend({ preference: 'native' }));
    afterAll(() => rmSync(directory, { recursive: true }));

    const losses: LossSpec[] = [
      kd,
      ...['reverse-kl', 'symmetric-kl', 'js', 'hard', 'logit-mse', 'brier', 'dkd', 'dist', 'logit-std'].map(
        (kind) => lossSchema.parse({ kind, alpha: 0.5 }),
      ),
    ];

    it.each(losses)('one step of $kind is that of the operations', async (loss) => {
      const [eager, graph] = [
        await firstStep(options(lenet, { loss })),
        await firstStep(options(lenet, { loss, compiler })),
      ];
      expect(distanceByTensor(lenet, eager, graph)).toBeLessThan(1e-5);
      expect(graph.parameters).not.toEqual(initialWeights(lenet, 9).parameters);
    });

    it.each([lenet, mlp, resnet])(
      'one step of $architecture.name is that of the operations',
      async (model) => {
        const optimizer = optimizerSchema.parse({ learningRate: 0.002 });
        const eager = await firstStep(options(model, { optimizer }));
        const graph = await firstStep(options(model, { optimizer, compiler }));
        expect(distanceByTensor(model, eager, graph)).toBeLessThan(1e-5);
      },
    );

    it('gives the same bits twice, and wherever it is cut, with buffers and a shorter last batch', async () => {
      const checkpoints: Uint8Array[] = [];
      const whole = await train(
        options(resnet, {
          compiler,
          onStep: (_, state) => void checkpoints.push(encodeCheckpoint(resnet, state())),
        }),
      );
      expect(digestOf(await train(options(resnet, { compiler })))).toBe(digestOf(whole));
      for (const cut of [2, 4]) {
        const { state } = decodeCheckpoint(resnet, checkpoints[cut] ?? new Uint8Array());
        expect(digestOf(await train(options(resnet, { compiler, initial: state })))).toBe(digestOf(whole));
      }
    });

    it('records one graph for each size of a batch, however often the rate changes', async () => {
      let graphs = 0;
      const counting = {
        compile: (...given: Parameters<Compiler['compile']>) => {
          const compiled = compiler.compile(...given);
          return {
            run: (inputs: Parameters<typeof compiled.run>[0]) => compiled.run(inputs),
            dispose: () => {
              graphs = (compiled as unknown as { readonly graphCount: number }).graphCount;
              compiled.dispose();
            },
          };
        },
      };
      for (const loss of [kd, warmingUp]) {
        await train(options(lenet, { compiler: counting, epochs: 4, loss }));
        expect(graphs).toBe(2);
      }
    });

    it('warms a loss up alike as operations, as a graph and after a cut', async () => {
      const given = { loss: warmingUp, epochs: 3 };
      const checkpoints: Uint8Array[] = [];
      const whole = await train(
        options(lenet, {
          ...given,
          compiler,
          onStep: (_, state) => void checkpoints.push(encodeCheckpoint(lenet, state())),
        }),
      );
      expect(distanceByTensor(lenet, await train(options(lenet, given)), whole)).toBeLessThan(1e-3);
      const without = lossSchema.parse({ kind: 'dkd' });
      const at1 = await train(options(lenet, { ...given, compiler, loss: without }));
      expect(distanceByTensor(lenet, at1, whole)).toBeGreaterThan(1e-3);
      const { state } = decodeCheckpoint(lenet, checkpoints[3] ?? new Uint8Array());
      const resumed = await train(options(lenet, { ...given, compiler, initial: state }));
      expect(digestOf(resumed)).toBe(digestOf(whole));
    });

    it('leaks no tensor: with buffers, as a graph and as operations', async () => {
      for (const how of [{ compiler }, {}]) {
        await train(options(resnet, { ...how, epochs: 1 }));
        const before = tf.memory().numTensors;
        await train(options(resnet, { ...how, epochs: 1 }));
        expect(tf.memory().numTensors).toBe(before);
      }
    });

    it('moves the buffers in training, and predicts by them', async () => {
      const outcome: TrainingOutcome = await train(options(resnet, { compiler }));
      const start = initialWeights(resnet, 9);
      expect(outcome.buffers).not.toEqual(start.buffers);
      const inputs = view.inputs(view.ids);
      const predictor = new Predictor(resnet, compiler);
      const eager = new Predictor(resnet);
      const before = tf.memory().numTensors;
      const logits = predictor.predict(outcome, inputs, view.rows, 25);
      expect(predictor.predict(outcome, inputs, view.rows, 25)).toEqual(logits);
      expect(tf.memory().numTensors).toBe(before);
      expect(distance(eager.predict(outcome, inputs, view.rows, 25), logits)).toBeLessThan(1e-5);
      const others = { parameters: outcome.parameters, buffers: start.buffers };
      expect(distance(predictor.predict(others, inputs, view.rows, 25), logits)).toBeGreaterThan(1e-3);
      predictor.dispose();
    });

    it('never ran eagerly', () => {
      expect(reasons).toEqual([]);
    });
  },
);
