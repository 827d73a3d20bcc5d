import { policyAugmentation } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import type { Batch } from './batch.js';
import { datasetRef } from './dataset.js';
import { createSequenceView } from './sequence-view.js';
import { batchesOf, createTableView } from './table-view.js';
import { teacherBatches } from './teacher-batches.js';
import { tinyDataset } from './tiny-dataset.fixture.js';

const dataset = tinyDataset(20);
const ref = datasetRef(dataset);
const recipe = { dataset: ref, seed: 7, batchSize: 8 } as const;
const augmentation = policyAugmentation('baseline');

/** Input of one sample, wherever the epoch has it. */
function inputOf(batch: (step: number) => Batch, steps: readonly number[], id: number): Float32Array {
  for (const { ids, inputs } of steps.map(batch)) {
    const row = ids.indexOf(id);
    if (row >= 0) return inputs.subarray(row * 12, (row + 1) * 12);
  }
  throw new Error(`no step has sample ${id}`);
}

describe("a teacher's batches", () => {
  it('are samples as they are without augmentation, in the order that they always had', () => {
    const subset = { size: 12, stratified: true, seed: 3 };
    const batches = teacherBatches(dataset, { ...recipe, subset, augmentation: [] });
    const table = createTableView(dataset, { kind: 'table', dataset: ref, split: 'train', subset });
    const expected = batchesOf(table, recipe);
    expect(batches.stepsPerEpoch).toBe(expected.stepsPerEpoch);
    for (const step of [0, 1, 2, 3]) expect(batches.batch(step)).toEqual(expected.batch(step));
  });

  it('have another form of each sample in every epoch with augmentation, and its own label', () => {
    const { batch, stepsPerEpoch } = bound(teacherBatches(dataset, { ...recipe, augmentation }));
    expect(stepsPerEpoch).toBe(3);
    for (const step of [0, 1, 2, 3]) {
      const { ids, labels } = batch(step);
      expect([...labels]).toEqual([...ids].map((id) => id % 3));
    }
    const forms = [0, 1, 2].map((epoch) =>
      inputOf(
        batch,
        [0, 1, 2].map((step) => epoch * 3 + step),
        5,
      ),
    );
    expect(new Set(forms.map(String)).size).toBeGreaterThan(1);
  });

  it('are functions of the step: a training goes on from anywhere', () => {
    const whole = teacherBatches(dataset, { ...recipe, augmentation });
    const first = [0, 1, 2, 3, 4].map((step) => whole.batch(step));
    const resumed = teacherBatches(dataset, { ...recipe, augmentation });
    expect(resumed.batch(4)).toEqual(first[4]);
    expect(resumed.batch(1)).toEqual(first[1]);
  });

  it("are not those of a student's view of the same seed", () => {
    const teacher = teacherBatches(dataset, { ...recipe, augmentation });
    const spec = {
      kind: 'sequence',
      dataset: ref,
      split: 'train',
      augmentation,
      seed: 7,
      batchSize: 8,
    } as const;
    const student = createSequenceView(dataset, spec);
    expect(teacher.batch(0).ids).not.toEqual(student.batch(0).ids);
    const of = (batches: typeof teacher): string =>
      Array.from(dataset.splits.train.labels.keys())
        .map((id) => String(inputOf(bound(batches).batch, [0, 1, 2], id)))
        .join(';');
    expect(of(teacher)).not.toBe(of(student));
  });
});

function bound(batches: { readonly stepsPerEpoch: number; batch(step: number): Batch }): {
  readonly stepsPerEpoch: number;
  readonly batch: (step: number) => Batch;
} {
  return { stepsPerEpoch: batches.stepsPerEpoch, batch: (step) => batches.batch(step) };
}
