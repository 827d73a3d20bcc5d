import { startBackend } from '@fidelis/compute';
import type { OptimizerSpec } from '@fidelis/contracts';
import { batchesOf, createTableView, datasetRef, type Batch } from '@fidelis/data';
import { createModel } from '@fidelis/models';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { shapesDataset } from '../fixtures/shapes-dataset.js';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
import { predict } from './predict.js';
import type { TargetProvider } from './target-provider.js';
import { train, type TrainOptions } from './train.js';
import { initialState, type TrainingState } from './training-state.js';

const nativeProblem = await startBackend({ preference: 'native' }).then(
  () => undefined,
  (error: Error) => error.message,
);

const dataset = shapesDataset();
const view = createTableView(dataset, { kind: 'table', dataset: datasetRef(dataset), split: 'train' });
const lenet = createModel({ name: 'lenet5' }, dataset.inputShape, dataset.classes);
const mlp = createModel({ name: 'mlp', hiddenUnits: [16] }, dataset.inputShape, dataset.classes);
const lenetStart = initialState(lenet, 9);
const mlpStart = initialState(mlp, 9);
const optimizer: OptimizerSpec = {
  kind: 'sgd',
  learningRate: 0.05,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 1e-4,
};

function options(overrides: Partial<TrainOptions> = {}): TrainOptions {
  const { model = lenet } = overrides;
  return {
    model,
    optimizer,
    schedule: { kind: 'cosine', floor: 0 },
    loss: { kind: 'labels' },
    // 60 samples: the last of three batches of an epoch is shorter.
    batches: batchesOf(view, { seed: 4, batchSize: 25 }),
    epochs: 4,
    initial: model === mlp ? mlpStart : lenetStart,
    ...overrides,
  };
}

function accuracy(model: typeof lenet, weights: TrainingState): number {
  const logits = predict(model, weights, view.inputs(view.ids), view.rows, 32);
  const labels = view.labels(view.ids);
  const right = labels.filter((label, row) => {
    const own = logits.subarray(row * model.classes, (row + 1) * model.classes);
    return own.indexOf(Math.max(...own)) === label;
  });
  return right.length / view.rows;
}

/** Logits that name the sample: (id mod 3 is the class), after a turn of the event loop. */
const taught: TargetProvider = {
  framesConsumed: 1,
  framesTrained: 1,
  trained: () => undefined,
  waitSeconds: 0,
  targets: async (_step, { ids }: Batch) => {
    await Promise.resolve();
    return Float32Array.from({ length: ids.length * 3 }, (_, i) =>
      (ids[Math.floor(i / 3)] ?? 0) % 3 === i % 3 ? 4 : 0,
    );
  },
};

for (const preference of ['native', 'wasm'] as const) {
  const problem = preference === 'native' ? nativeProblem : undefined;
  describe.skipIf(problem !== undefined)(
    `train on ${preference}${problem === undefined ? '' : ` (${problem})`}`,
    () => {
      beforeAll(() => startBackend({ preference }));

      it.each([{ model: lenet }, { model: mlp }])(
        'learns from labels: $model.architecture.name',
        async ({ model }) => {
          const outcome = await train(options({ model, epochs: 12 }));
          expect(outcome.step).toBe(36);
          expect(accuracy(model, outcome)).toBeGreaterThan(0.9);
        },
      );

      it('learns from a teacher alone', async () => {
        const outcome = await train(
          options({ loss: { kind: 'kd', temperature: 4, alpha: 0 }, targets: taught, epochs: 12 }),
        );
        expect(accuracy(lenet, outcome)).toBeGreaterThan(0.9);
      });

      it('gives the same bits twice, and other ones for another seed', async () => {
        const first = await train(options());
        const second = await train(options());
        expect(second).toEqual(first);
        const other = await train(options({ initial: initialState(lenet, 10) }));
        expect(other.parameters).not.toEqual(first.parameters);
      });

      it('gives the same bits wherever it is cut', async () => {
        const mixed = { loss: { kind: 'kd', temperature: 4, alpha: 0.5 }, targets: taught } as const;
        const checkpoints: Uint8Array[] = [];
        const whole = await train(
          options({
            ...mixed,
            onStep: (_, state) => void checkpoints.push(encodeCheckpoint(lenet, state())),
          }),
        );
        expect(checkpoints).toHaveLength(12);
        for (const cut of [0, 2, 6, 11]) {
          const { state } = decodeCheckpoint(lenet, checkpoints[cut] ?? new Uint8Array());
          expect(state.step).toBe(cut + 1);
          expect(await train(options({ ...mixed, initial: state }))).toEqual(whole);
        }
      });

      it('leaks no tensor', async () => {
        await train(options({ epochs: 1 }));
        const before = tf.memory().numTensors;
        await train(options({ epochs: 2 }));
        expect(tf.memory().numTensors).toBe(before);
      });
    },
  );
}

describe('train', () => {
  it('reports every step and epoch', async () => {
    const steps: number[] = [];
    const epochs: [number, TrainingState][] = [];
    const outcome = await train(
      options({
        epochs: 2,
        onStep: (info) => void steps.push(info.step, info.rows, info.epoch),
        onEpoch: (info, state) => void epochs.push([info.epochsDone, state()]),
      }),
    );
    expect(steps).toEqual([1, 25, 0, 2, 25, 0, 3, 10, 0, 4, 25, 1, 5, 25, 1, 6, 10, 1]);
    expect(epochs.map(([done]) => done)).toEqual([1, 2]);
    expect(epochs[1]?.[1].parameters).toEqual(outcome.parameters);
  });

  it('lets other work of the process through after every step', async () => {
    let turns = 0;
    let running = true;
    const spin = (): void => {
      turns++;
      if (running) setImmediate(spin);
    };
    setImmediate(spin);
    await train(options({ epochs: 2 }));
    running = false;
    expect(turns).toBeGreaterThanOrEqual(6);
  });

  it('stops at a loss that is not finite, and says at which step', async () => {
    const before = tf.memory().numTensors;
    const wild = train(
      options({ optimizer: { ...optimizer, learningRate: 1e20 }, schedule: { kind: 'constant', floor: 0 } }),
    );
    await expect(wild).rejects.toMatchObject({
      code: 'TRAINING.DIVERGED',
      details: { step: expect.any(Number) as number, learningRate: 1e20 },
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('stops at a gradient that is not finite although the loss is', async () => {
    // A last layer of zeros has a loss of log 3, whatever comes in; its gradient is what comes in.
    const lastLayer = mlp.parameterCount - 16 * 3 - 3;
    const parameters = mlpStart.parameters.map((value, i) => (i < lastLayer ? value * 1e24 : 0));
    const wild = train(options({ model: mlp, initial: { ...mlpStart, parameters } }));
    await expect(wild).rejects.toMatchObject({
      code: 'TRAINING.DIVERGED',
      message: expect.stringContaining("the gradient's norm is Infinity at step 0") as string,
    });
  });

  it('gives out no state with weights that are not finite', async () => {
    const wild = train(
      options({
        optimizer: { ...optimizer, learningRate: Number.MAX_VALUE },
        schedule: { kind: 'constant', floor: 0 },
        onStep: (_, state) => void state(),
      }),
    );
    await expect(wild).rejects.toMatchObject({ code: 'TRAINING.DIVERGED', details: { step: 0 } });
  });

  it("does not go on from another optimizer's or another model's state", async () => {
    const ofAdam = initialState(lenet, 9, { kind: 'adam' });
    await expect(train(options({ initial: ofAdam }))).rejects.toMatchObject({
      code: 'WEIGHTS.INVALID',
      message: expect.stringContaining(
        'sgd remembers 1 values of each parameter, the state holds 2',
      ) as string,
    });
    await expect(train(options({ initial: mlpStart }))).rejects.toMatchObject({ code: 'WEIGHTS.INVALID' });
  });

  it('stops between two steps when it is asked to', async () => {
    const stop = new AbortController();
    const stopped = train(
      options({ signal: stop.signal, onStep: ({ step }) => (step === 2 ? stop.abort() : undefined) }),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'RUN.CANCELLED' });
  });

  it('stops while it waits for targets', async () => {
    const stop = new AbortController();
    const endless: TargetProvider = { ...taught, targets: () => new Promise(() => undefined) };
    const stopped = train(
      options({ loss: { kind: 'kd', temperature: 1, alpha: 0 }, targets: endless, signal: stop.signal }),
    );
    setImmediate(() => stop.abort());
    await expect(stopped).rejects.toMatchObject({ code: 'RUN.CANCELLED' });
  });

  it('asks for the targets that its loss needs', async () => {
    await expect(train(options({ loss: { kind: 'kd', temperature: 1, alpha: 0 } }))).rejects.toThrow(
      'give the training its targets',
    );
  });

  it('has nothing to do for a state at the end', async () => {
    const outcome = await train(options({ epochs: 1 }));
    expect(await train(options({ epochs: 1, initial: outcome }))).toEqual(outcome);
  });
});
