import type { Split, ViewSpec } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { splitTasks } from './split-tasks.js';

const dataset = { name: 'mnist', digest: 'da'.repeat(32) };
const whole: ViewSpec = { kind: 'table', dataset, split: 'train' };
const part: ViewSpec = { ...whole, subset: { size: 10, stratified: true, seed: 0 } };
const batches: ViewSpec = {
  kind: 'sequence',
  dataset,
  split: 'train',
  augmentation: [],
  seed: 0,
  batchSize: 8,
};
const both = new Set<Split>(['train', 'test']);

const splitsOf = (streams: { view: ViewSpec; fromStart: boolean }[], splits = both): string[] =>
  splitTasks(streams, splits).map(({ split }) => split);

describe('splitTasks', () => {
  it('are the splits that were asked for', () => {
    expect(splitsOf([])).toEqual(['train', 'test']);
    expect(splitsOf([{ view: whole, fromStart: true }], new Set<Split>())).toEqual([]);
  });

  it('leave out a split that a stream covers from its first step', () => {
    expect(splitsOf([{ view: whole, fromStart: true }])).toEqual(['test']);
  });

  it.each([
    ['that was begun before: its first rows are not scored again', whole, false],
    ['of a part of the split', part, true],
    ['of augmented batches', batches, true],
  ])('keep a split with a stream %s', (_, view, fromStart) => {
    expect(splitsOf([{ view, fromStart }])).toEqual(['train', 'test']);
  });
});
