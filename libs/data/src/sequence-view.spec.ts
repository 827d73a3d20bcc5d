import { inputDigest, type SequenceViewSpec } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datasetRef } from './dataset.js';
import { InputRoom } from './input-room.js';
import { createSequenceView } from './sequence-view.js';
import { createTableView } from './table-view.js';
import { tinyDataset } from './tiny-dataset.fixture.js';

const dataset = tinyDataset();
const spec: SequenceViewSpec = {
  kind: 'sequence',
  dataset: datasetRef(dataset),
  split: 'train',
  augmentation: [{ kind: 'random-shift', maxPixels: 2 }],
  seed: 5,
  batchSize: 16,
};

function digests(
  view: { batch: (step: number) => { inputs: Float32Array } },
  steps: readonly number[],
): string[] {
  return steps.map((step) => inputDigest(view.batch(step).inputs));
}

/** Input of each sample in one epoch, by id. */
function formsOf(candidate: SequenceViewSpec, epoch: number): Map<number, string> {
  const view = createSequenceView(dataset, candidate);
  const forms = new Map<number, string>();
  for (let i = 0; i < view.stepsPerEpoch; i++) {
    const { ids, inputs } = view.batch(epoch * view.stepsPerEpoch + i);
    ids.forEach((id, row) => forms.set(id, inputDigest(inputs.slice(row * 12, (row + 1) * 12))));
  }
  return forms;
}

describe('SequenceView', () => {
  it('is a pure function of spec and step, in any order of calls', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { minLength: 1, maxLength: 12 }), fc.nat(), (steps, seed) => {
        const expected = digests(createSequenceView(dataset, { ...spec, seed }), steps);
        const other = createSequenceView(dataset, { ...spec, seed });
        other.batch(3).inputs.fill(7);
        expect(digests(other, [...steps].reverse())).toEqual(expected.reverse());
      }),
      { numRuns: 30 },
    );
  });

  it('puts inputs into the same room one after the other, each as they would be in an array of their own', () => {
    const augmented: SequenceViewSpec = {
      ...spec,
      augmentation: [
        { kind: 'random-shift', maxPixels: 2 },
        { kind: 'noise', probability: 0.3 },
        { kind: 'mixup', portion: 1 },
      ],
    };
    const room = new InputRoom();
    const shared = createSequenceView(dataset, augmented);
    fc.assert(
      fc.property(fc.nat(500), (step) => {
        const fresh = createSequenceView(dataset, augmented).batch(step);
        expect(shared.batch(step, room)).toEqual(fresh);
      }),
      { numRuns: 40 },
    );
    const [first, second] = [shared.batch(0, room).inputs, shared.batch(1, room).inputs];
    expect(second.buffer).toBe(first.buffer);
  });

  it('differs between seeds and between epochs', () => {
    const steps = [0, 1, 2, 3, 4, 5, 6, 7];
    const first = digests(createSequenceView(dataset, spec), steps);
    const second = digests(createSequenceView(dataset, { ...spec, seed: 6 }), steps);
    expect(new Set([...first, ...second]).size).toBe(16);
  });

  it('says which samples a step is of without making its inputs, and how they were mixed', () => {
    fc.assert(
      fc.property(
        fc.nat(40),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.boolean(),
        (step, portion, mixed) => {
          const augmentation: SequenceViewSpec['augmentation'] = mixed ? [{ kind: 'mixup', portion }] : [];
          const view = createSequenceView(dataset, { ...spec, augmentation });
          const { ids, inputs } = view.batch(step);
          const { ids: named, mixing } = view.stepSamples(step);
          expect(named).toEqual(ids);
          expect(mixing === undefined).toBe(!mixed);
          const own = view.originals(ids);
          const partners = view.originals(mixing?.partners ?? ids);
          const rebuilt = own.map((value, at) => {
            const weight = mixing?.weights[Math.floor(at / 12)] ?? 1;
            if (weight === 1) return value;
            const rest = Math.fround(1 - weight);
            return Math.fround(weight * value) + Math.fround(rest * (partners[at] ?? 0));
          });
          expect(rebuilt).toEqual(inputs);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes every sample once per epoch and keeps the shorter batch', () => {
    const view = createSequenceView(dataset, spec);
    expect(view).toMatchObject({ rows: 50, stepsPerEpoch: 4 });
    for (const epoch of [0, 1, 7]) {
      const batches = [0, 1, 2, 3].map((step) => view.batch(epoch * 4 + step));
      expect(batches.map(({ ids }) => ids.length)).toEqual([16, 16, 16, 2]);
      expect(batches.at(-1)?.inputs).toHaveLength(2 * 12);
      const ids = batches.flatMap((batch) => [...batch.ids]).sort((a, b) => a - b);
      expect(ids).toEqual([...view.ids]);
    }
  });

  it('shifts a sample alike in whatever batch it comes, and anew in each epoch', () => {
    const forms = formsOf(spec, 2);
    expect(formsOf({ ...spec, batchSize: 3 }, 2)).toEqual(forms);
    const subset = formsOf({ ...spec, subset: { size: 12, stratified: true, seed: 1 } }, 2);
    for (const [id, form] of subset) expect(form).toBe(forms.get(id));
    expect(formsOf(spec, 3)).not.toEqual(forms);
  });

  it('without augmentation has the inputs of a table', () => {
    const table = createTableView(dataset, { kind: 'table', dataset: spec.dataset, split: 'train' });
    const { ids, inputs, labels } = createSequenceView(dataset, { ...spec, augmentation: [] }).batch(6);
    expect(inputs).toEqual(table.inputs(ids));
    expect(labels).toEqual(table.labels(ids));
  });

  it('refuses a dataset other than that of its spec', () => {
    expect(() => createSequenceView(tinyDataset(51), spec)).toThrow('use the same data on both sides');
  });
});
