import { FidelisError, TABLE_CHUNK_ROWS, type TableViewSpec } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datasetRef } from './dataset.js';
import { InputRoom } from './input-room.js';
import { scaleInputs } from './scaling.js';
import { batchesOf, createTableView } from './table-view.js';
import { tinyDataset } from './tiny-dataset.fixture.js';

const dataset = tinyDataset(2 * TABLE_CHUNK_ROWS + 5);
const spec: TableViewSpec = { kind: 'table', dataset: datasetRef(dataset), split: 'train' };
const { train } = dataset.splits;

describe('TableView', () => {
  it('has every sample once, in ascending chunks, with the scaled bytes of that sample', () => {
    const view = createTableView(dataset, spec);
    expect(view.chunks).toBe(3);
    const chunks = [0, 1, 2].map((index) => view.chunk(index));
    expect(chunks.map(({ ids }) => ids.length)).toEqual([TABLE_CHUNK_ROWS, TABLE_CHUNK_ROWS, 5]);
    expect(chunks.flatMap(({ ids }) => [...ids])).toEqual(Array.from({ length: train.size }, (_, id) => id));
    expect(chunks[2]?.inputs).toEqual(scaleInputs(train.inputs.subarray(2 * TABLE_CHUNK_ROWS * 12)));
  });

  it('gives the same bytes for a chunk whatever was asked before, and whatever was done to them', () => {
    const expected = createTableView(dataset, spec).chunk(1);
    const view = createTableView(dataset, spec);
    view.chunk(2);
    const spoiled = view.chunk(1);
    spoiled.inputs.fill(9);
    spoiled.ids.fill(9);
    expect(view.chunk(1)).toEqual(expected);
  });

  it('puts inputs into the same room one after the other, also of a shorter chunk after a longer one', () => {
    const view = createTableView(dataset, spec);
    const room = new InputRoom();
    for (const index of [2, 0, 2, 1]) {
      expect(view.chunk(index, room)).toEqual(createTableView(dataset, spec).chunk(index));
    }
    const batches = batchesOf(view, { seed: 1, batchSize: 100 });
    for (const step of [0, batches.stepsPerEpoch - 1, 3]) {
      expect(batches.batch(step, room)).toEqual(batches.batch(step));
    }
  });

  it('of a subset has only its samples', () => {
    const view = createTableView(dataset, { ...spec, subset: { size: 30, stratified: true, seed: 4 } });
    expect(view).toMatchObject({ rows: 30, chunks: 1, classes: 3 });
    const { ids, inputs } = view.chunk(0);
    expect(ids).toEqual(view.ids);
    const id = ids[7] ?? 0;
    expect(inputs.subarray(7 * 12, 8 * 12)).toEqual(
      scaleInputs(train.inputs.subarray(id * 12, (id + 1) * 12)),
    );
  });

  it('gives inputs and labels in the order asked for', () => {
    const view = createTableView(dataset, { ...spec, split: 'test' });
    const { test } = dataset.splits;
    expect([...view.labels(Uint32Array.of(7, 0, 7))]).toEqual([1, 0, 1]);
    expect(view.inputs(Uint32Array.of(3, 1))).toEqual(
      scaleInputs(Uint8Array.of(...test.inputs.subarray(36, 48), ...test.inputs.subarray(12, 24))),
    );
  });

  it('has no chunk and no sample beyond its end', () => {
    const view = createTableView(dataset, spec);
    for (const index of [-1, 3, 0.5]) expect(() => view.chunk(index)).toThrow(`there is no chunk ${index}`);
    const beyond = Uint32Array.of(train.size);
    expect(() => view.inputs(beyond)).toThrow(`there is no sample ${train.size}`);
    expect(() => view.labels(beyond)).toThrow(FidelisError);
  });

  it('refuses a dataset other than that of its spec, and names both', () => {
    const foreign = tinyDataset(51);
    try {
      createTableView(foreign, spec);
      expect.unreachable();
    } catch (error) {
      if (!FidelisError.is(error)) throw error;
      expect(error.code).toBe('DATASET.MISMATCH');
      expect(error.message).toContain(dataset.digest);
      expect(error.message).toContain(foreign.digest);
    }
    expect(() => createTableView({ ...dataset, name: 'other' }, spec)).toThrow('"tiny" with digest');
  });

  it('refuses a subset that cannot be chosen', () => {
    const subset = { size: 10, stratified: true, seed: 0 };
    expect(() => createTableView(dataset, { ...spec, subset })).toThrow('use 9, or 12');
  });
});

describe('batchesOf', () => {
  const view = createTableView(dataset, { ...spec, subset: { size: 30, stratified: true, seed: 4 } });

  it('takes every sample of the view once per epoch, in an order of its own', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 40 }), fc.nat(50), (seed, batchSize, epoch) => {
        const source = batchesOf(view, { seed, batchSize });
        const steps = Array.from(
          { length: source.stepsPerEpoch },
          (_, i) => epoch * source.stepsPerEpoch + i,
        );
        const ids = steps.flatMap((step) => [...source.batch(step).ids]);
        expect(ids.sort((a, b) => a - b)).toEqual([...view.ids]);
      }),
    );
  });

  it('keeps the shorter batch at the end of an epoch', () => {
    const source = batchesOf(view, { seed: 0, batchSize: 8 });
    expect(source.stepsPerEpoch).toBe(4);
    expect([0, 1, 2, 3, 4].map((step) => source.batch(step).ids.length)).toEqual([8, 8, 8, 6, 8]);
  });

  it('has the inputs and labels that belong to its ids', () => {
    const { ids, inputs, labels } = batchesOf(view, { seed: 3, batchSize: 8 }).batch(5);
    expect(inputs).toEqual(view.inputs(ids));
    expect(labels).toEqual(view.labels(ids));
  });

  it('is a pure function of seed and step', () => {
    const forward = batchesOf(view, { seed: 1, batchSize: 7 });
    const backward = batchesOf(view, { seed: 1, batchSize: 7 });
    const steps = [0, 1, 4, 5, 9, 12];
    const expected = steps.map((step) => forward.batch(step));
    expect([...steps].reverse().map((step) => backward.batch(step))).toEqual([...expected].reverse());
    expect(batchesOf(view, { seed: 2, batchSize: 7 }).batch(0).ids).not.toEqual(expected[0]?.ids);
  });

  it.each([-1, 0.5, NaN])('has no step %d', (step) => {
    expect(() => batchesOf(view, { seed: 0, batchSize: 8 }).batch(step)).toThrow(`there is no step ${step}`);
  });

  it.each([0, -8, 1.5])('refuses the batch size %d', (batchSize) => {
    expect(() => batchesOf(view, { seed: 0, batchSize })).toThrow('not a positive whole number');
  });
});
