import { parseStrict, trainJobSchema, type StudentJob, type StudentStart } from '@fidelis/contracts';
import { EAGER } from '@fidelis/distillation';
import { createModel, encodeWeights, initialWeights } from '@fidelis/models';
import { describe, expect, it } from 'vitest';
import { runOf, streamOf } from '../../fixtures/records.js';
import { studentJobOf } from '../control/run-creation.js';
import { baseLearningRate, firstWeights, type StartMaterial } from './first-weights.js';

const architecture = { name: 'mlp', hiddenUnits: [3] } as const;
const model = createModel({ name: 'mlp', hiddenUnits: [3] }, { height: 2, width: 2, channels: 1 }, 10);
const teacher = initialWeights(model, 7);
const material: StartMaterial = {
  teacherWeights: encodeWeights(model, teacher),
  batches: { stepsPerEpoch: 0, batch: () => ({}) as never },
  compiler: EAGER,
};

function jobWith(start?: StudentStart): StudentJob {
  const job = {
    ...studentJobOf(runOf(), streamOf()),
    architecture,
    ...(start === undefined ? {} : { start }),
  };
  return parseStrict(trainJobSchema, job) as StudentJob;
}

function between(lambda: number, rescaleLearningRate = false): StudentStart {
  const weights = 'a'.repeat(64);
  const own = { name: 'mlp', hiddenUnits: [3] } as const;
  return {
    kind: 'interpolate',
    architecture: { ...own, hiddenUnits: [...own.hiddenUnits] },
    weights,
    lambda,
    rescaleLearningRate,
    refreshStatistics: true,
  };
}

describe('the first weights of a student', () => {
  it('are random, of its own seed, where its job says nothing', async () => {
    const job = jobWith();
    expect(await firstWeights(job, model, material)).toEqual(initialWeights(model, job.seed));
  });

  it("are the teacher's first ones, from the teacher's seed", async () => {
    const start = {
      kind: 'teacher-initial',
      architecture: { name: 'mlp', hiddenUnits: [3] },
      seed: 7,
    } as const;
    const job = jobWith({ ...start, architecture: { name: 'mlp', hiddenUnits: [3] } });
    expect(await firstWeights(job, model, material)).toEqual(teacher);
  });

  it("are the teacher's trained ones at λ = 1, its own random ones at 0", async () => {
    expect(await firstWeights(jobWith(between(1)), model, material)).toEqual(teacher);
    const job = jobWith(between(0));
    expect(await firstWeights(job, model, material)).toEqual(initialWeights(model, job.seed));
  });

  it('are refused where the teacher is of another architecture', async () => {
    const start = { ...between(1), architecture: { name: 'lenet5' as const } };
    await expect(firstWeights(jobWith(start), model, material)).rejects.toMatchObject({
      code: 'MODEL.MISMATCH',
    });
  });
});

describe('the base learning rate', () => {
  it('is the spec’s, unless the spec wants it smaller near the teacher', () => {
    const { learningRate } = jobWith().optimizer;
    expect(baseLearningRate(jobWith())).toBe(learningRate);
    expect(baseLearningRate(jobWith(between(0.75)))).toBe(learningRate);
    expect(baseLearningRate(jobWith(between(0.75, true)))).toBeCloseTo(learningRate / 4, 12);
  });
});
