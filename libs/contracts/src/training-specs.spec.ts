import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';
import { lossSchema } from './loss-spec.js';
import { optimizerSchema, scheduleSchema } from './optimizer-spec.js';

function problemOf(result: { readonly error?: { readonly issues: readonly { message: string }[] } }): string {
  return (result.error?.issues ?? []).map(({ message }) => message).join('; ');
}

describe('specs of a training', () => {
  it.each([
    [lossSchema.parse({}), '{"alpha":0,"kind":"kd","temperature":4}'],
    [lossSchema.parse({ temperature: 1, alpha: 0.5 }), '{"alpha":0.5,"kind":"kd","temperature":1}'],
    [
      lossSchema.parse({ kind: 'dkd' }),
      '{"alpha":1,"kind":"dkd","nonTargetWeight":8,"targetWeight":1,"temperature":4}',
    ],
    [
      optimizerSchema.parse({ learningRate: 0.1 }),
      '{"kind":"sgd","learningRate":0.1,"momentum":0.9,"nesterov":true,"weightDecay":0}',
    ],
    [scheduleSchema.parse({}), '{"floor":0,"kind":"cosine"}'],
    [scheduleSchema.parse({ kind: 'constant' }), '{"floor":0,"kind":"constant"}'],
  ])('of before have the digests of before: %#', (spec, canonical) => {
    expect(canonicalJson(spec)).toBe(canonical);
  });

  it.each([
    [{ temperature: 0 }, 'the temperature must be above 0'],
    [{ kind: 'js', temperature: -1 }, 'the temperature must be above 0'],
    [{ kind: 'js', beta: 1 }, 'beta must be between 0 and 1'],
    [{ kind: 'dkd', nonTargetWeight: -1 }, 'nonTargetWeight must be at least 0'],
    [{ kind: 'dkd', warmUpEpochs: 0 }, 'warmUpEpochs must be above 0'],
    [{ kind: 'kd', warmUpEpochs: 20 }, 'warmUpEpochs'],
    [{ kind: 'kl' }, 'a loss is kd, reverse-kl'],
    [{ kind: 'hard', temperature: 4 }, 'temperature'],
  ])('refuse the loss %j', (spec, problem) => {
    expect(problemOf(lossSchema.safeParse(spec))).toContain(problem);
  });

  it.each([
    [{ learningRate: 0.1, clipNorm: 0 }, 'clipNorm must be above 0'],
    [{ kind: 'adam', learningRate: 0.1, beta2: 1 }, 'beta2 must be at least 0 and below 1'],
    [{ kind: 'adamw', learningRate: 0.1, epsilon: 0 }, 'epsilon must be above 0'],
    [{ kind: 'adam', learningRate: 0.1, momentum: 0.9 }, 'momentum'],
    [{ kind: 'lion', learningRate: 0.1 }, 'an optimizer is sgd, adam or adamw'],
  ])('refuse the optimizer %j', (spec, problem) => {
    expect(problemOf(optimizerSchema.safeParse(spec))).toContain(problem);
  });

  it.each([
    [{ kind: 'step', milestones: [5, 3] }, 'milestones must be in ascending order'],
    [{ kind: 'step', milestones: [3, 3] }, 'milestones must be in ascending order'],
    [{ kind: 'step', milestones: [] }, 'name at least one epoch'],
    [{ kind: 'step', milestones: [3], factor: 2 }, 'factor must be at most 1'],
    [{ warmUpEpochs: 0 }, 'warmUpEpochs must be above 0'],
    [{ kind: 'linear' }, 'a schedule is cosine, constant or step'],
  ])('refuse the schedule %j', (spec, problem) => {
    expect(problemOf(scheduleSchema.safeParse(spec))).toContain(problem);
  });
});
