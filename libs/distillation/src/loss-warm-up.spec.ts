import { startBackend } from '@fidelis/compute';
import { lossSchema } from '@fidelis/contracts';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { lossScalars } from './loss-warm-up.js';
import { trainingLoss, type TrainingLoss } from './losses.js';

const dkd = lossSchema.parse({ kind: 'dkd', alpha: 0.5 });
const warm = (more: object): TrainingLoss => lossSchema.parse({ kind: 'dkd', alpha: 0.5, ...more });

function factors(loss: TrainingLoss, stepsPerEpoch: number, steps: number): (number | undefined)[] {
  return Array.from(
    { length: steps },
    (_, step) => lossScalars(loss, step, { stepsPerEpoch })['teacherWeight'],
  );
}

describe('the factor of the terms against the teacher', () => {
  it('is min(epoch / warm-up, 1) with epochs from 1, as published', () => {
    const published = Array.from({ length: 12 }, (_, step) => Math.min((Math.floor(step / 2) + 1) / 4, 1));
    expect(factors(warm({ warmUpEpochs: 4, every: 'epoch' }), 2, 12)).toEqual(published);
    expect(published.slice(0, 8)).toEqual([0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1, 1]);
  });

  it('rises with every step where nothing else is said, and stays at 1', () => {
    expect(factors(warm({ warmUpEpochs: 2 }), 2, 6)).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
    expect(factors(warm({ warmUpEpochs: 0.5 }), 2, 2)).toEqual([1, 1]);
  });

  it('is no input of a loss without a warm-up', () => {
    expect(lossScalars(dkd, 0, { stepsPerEpoch: 2 })).toEqual({});
    expect(lossScalars({ kind: 'labels' }, 0, { stepsPerEpoch: 2 })).toEqual({});
  });
});

describe('a loss that warms up', () => {
  beforeAll(() => startBackend({ preference: 'wasm' }));

  const logits = [2, -1, 0.5, 0, 3, -2];
  const tensor = (values: number[]): tf.Tensor2D => tf.tensor2d(values, [2, 3]);

  /** Value, then gradient. */
  function evaluate(loss: TrainingLoss, factor?: number): number[] {
    return tf.tidy(() => {
      const targets = {
        labels: tensor([0, 1, 0, 0, 0, 1]),
        teacherLogits: tensor([1, 1.5, -1, 4, 0, 0.5]),
        ...(factor === undefined ? {} : { teacherWeight: tf.scalar(factor) }),
      };
      const { value, grad } = tf.valueAndGrad((z: tf.Tensor) =>
        trainingLoss(loss, z as tf.Tensor2D, targets),
      )(tensor(logits));
      return [...value.dataSync(), ...grad.dataSync()];
    });
  }

  it('is α·NLL and that part of DKD', () => {
    const loss = warm({ warmUpEpochs: 20 });
    const [labels, whole] = [evaluate({ kind: 'labels' }), evaluate(dkd)];
    const part = evaluate(loss, 0.25);
    part.forEach((value, i) => {
      const nll = 0.5 * (labels[i] ?? Number.NaN);
      expect(value).toBeCloseTo(nll + 0.25 * ((whole[i] ?? Number.NaN) - nll), 4);
    });
    expect(evaluate(loss, 1)).toEqual(whole);
  });

  it('is refused without its factor', () => {
    expect(() => evaluate(warm({ warmUpEpochs: 20 }))).toThrow('this loss needs the factor of its warm-up');
  });
});
