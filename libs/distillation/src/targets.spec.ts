import { inputDigest, TABLE_CHUNK_ROWS, type LogitFrame } from '@fidelis/contracts';
import { createSequenceView, createTableView, datasetRef } from '@fidelis/data';
import { combineMembers } from '@fidelis/models';
import { describe, expect, it } from 'vitest';
import { shapesDataset } from '../fixtures/shapes-dataset.js';
import { SequenceTargets } from './sequence-targets.js';
import { TableTargets } from './table-targets.js';

const dataset = shapesDataset(1_100);
const base = { dataset: datasetRef(dataset), split: 'train' } as const;
const table = createTableView(dataset, { kind: 'table', ...base });
const sequence = createSequenceView(dataset, {
  kind: 'sequence',
  ...base,
  augmentation: [],
  seed: 3,
  batchSize: 400,
});
const CLASSES = 3;
const MEMBERS = 2;
const KEY = '00000000000000ab';

/** The frames of one step: each value names its row. */
function frames(
  step: number,
  inputs: Float32Array,
  rows: number,
  partRows: number,
  first = 0,
  parts = Math.ceil(rows / partRows),
): LogitFrame[] {
  return Array.from({ length: parts }, (_, part) => {
    const count = Math.max(0, Math.min(partRows, rows - part * partRows));
    return {
      codec: 'f32',
      part,
      parts,
      streamKey: KEY,
      step,
      rows: count,
      members: MEMBERS,
      classes: CLASSES,
      inputDigest: inputDigest(inputs),
      values: Float32Array.from({ length: count * MEMBERS * CLASSES }, (_, i) => {
        const row = first + part * partRows + Math.floor(i / (MEMBERS * CLASSES));
        return i % CLASSES === 0 ? row / 100 : 0;
      }),
    };
  });
}

function expectedLogits(rows: readonly number[]): Float32Array {
  const values = rows.flatMap((row) => [row / 100, 0, 0, row / 100, 0, 0].map(Math.fround));
  return combineMembers(Float32Array.from(values), rows.length, MEMBERS, CLASSES);
}

describe('TableTargets', () => {
  const layout = { key: KEY, members: MEMBERS, classes: CLASSES, parts: 1, partRows: TABLE_CHUNK_ROWS };
  const chunk = (index: number): LogitFrame[] => {
    const { ids, inputs } = table.chunk(index);
    return frames(index, inputs, ids.length, TABLE_CHUNK_ROWS, index * TABLE_CHUNK_ROWS);
  };
  const accept = (targets: TableTargets, all: LogitFrame[]): void =>
    all.forEach((frame) => targets.accept(frame));
  const batch = (...ids: number[]): Parameters<TableTargets['targets']>[1] => {
    const given = Uint32Array.from(ids);
    return { ids: given, inputs: table.inputs(given), labels: table.labels(given) };
  };

  it('gives the logits of any samples in any order, once their chunks are there', async () => {
    const targets = new TableTargets(table, layout);
    accept(targets, chunk(1));
    expect(targets.isComplete).toBe(false);
    const waiting = targets.targets(0, batch(1_050, 3, 700));
    accept(targets, chunk(0));
    expect(await waiting).toEqual(expectedLogits([1_050, 3, 700]));
    expect(targets.isComplete).toBe(true);
    expect(targets.framesConsumed).toBe(2);
    expect(targets.waitSeconds).toBeGreaterThan(0);
  });

  it('does not wait for chunks that a batch has no sample of', async () => {
    const targets = new TableTargets(table, layout);
    accept(targets, chunk(0));
    expect(await targets.targets(0, batch(5))).toEqual(expectedLogits([5]));
    expect(targets.waitSeconds).toBe(0);
  });

  it('counts a chunk once, however often it comes', () => {
    const targets = new TableTargets(table, layout);
    accept(targets, [...chunk(0), ...chunk(0)]);
    expect(targets.framesConsumed).toBe(1);
  });

  it('refuses logits of other inputs, and names both sides', () => {
    const targets = new TableTargets(table, layout);
    const { ids, inputs } = table.chunk(0);
    inputs[17] = 0.25;
    const [frame] = frames(0, inputs, ids.length, TABLE_CHUNK_ROWS);
    expect(() => accept(targets, frame === undefined ? [] : [frame])).toThrow(
      expect.objectContaining({
        code: 'STREAM.MISALIGNED',
        details: {
          step: 0,
          student: { view: table.spec, digest: inputDigest(table.chunk(0).inputs) },
          teacher: { streamKey: KEY, digest: inputDigest(inputs) },
        },
      }) as Error,
    );
    expect(targets.framesConsumed).toBe(0);
  });

  it.each([
    ['another stream', { streamKey: '00000000000000ff' }, 'FRAME.FOREIGN'],
    ['another number of members', { members: 1 }, 'FRAME.INVALID'],
    ['rows that the layout does not have', { rows: 7 }, 'FRAME.INVALID'],
    ['a chunk that the table does not have', { step: 2 }, 'FRAME.INVALID'],
  ])('refuses a frame with %s', (_, change, code) => {
    const targets = new TableTargets(table, layout);
    const bad = chunk(0).map((frame) => ({ ...frame, ...change }));
    expect(() => accept(targets, bad)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('has chunks that are shorter than others, with parts that have no rows', async () => {
    const targets = new TableTargets(table, { ...layout, parts: 8, partRows: 128 });
    const { ids, inputs } = table.chunk(1);
    accept(targets, frames(1, inputs, ids.length, 128, TABLE_CHUNK_ROWS, 8));
    expect(targets.framesConsumed).toBe(1);
    expect(await targets.targets(0, batch(1_024, 1_099))).toEqual(expectedLogits([1_024, 1_099]));
  });

  it('counts a chunk as trained once every row of it was in a batch, however often', () => {
    const targets = new TableTargets(table, layout);
    targets.trained(0, table.ids.subarray(0, 1_023));
    targets.trained(1, table.ids.subarray(0, 1_023));
    expect(targets.framesTrained).toBe(0);
    targets.trained(2, table.ids.subarray(1_023, 1_024));
    expect(targets.framesTrained).toBe(1);
    targets.trained(3, table.ids.subarray(1_024));
    targets.trained(4, table.ids);
    expect(targets.framesTrained).toBe(2);
  });

  it('refuses parts that are another cut of the same step', () => {
    const targets = new TableTargets(table, { ...layout, parts: 1, partRows: 512 });
    expect(() => accept(targets, chunk(0))).toThrow(
      expect.objectContaining({ code: 'FRAME.INVALID' }) as Error,
    );
  });

  it('passes the failure of the stream on to the training', async () => {
    const targets = new TableTargets(table, layout);
    const waiting = targets.targets(0, batch(1));
    targets.fail(new Error('the stream is gone'));
    await expect(waiting).rejects.toThrow('the stream is gone');
    await expect(targets.targets(1, batch(2))).rejects.toThrow('the stream is gone');
  });
});

describe('SequenceTargets', () => {
  const layout = { key: KEY, members: MEMBERS, classes: CLASSES, parts: 2, partRows: 250 };
  const step = (index: number): LogitFrame[] => {
    const { ids, inputs } = sequence.batch(index);
    const all = frames(index, inputs, ids.length, layout.partRows, index);
    return all;
  };

  it('gives each step its logits, in order', async () => {
    const targets = new SequenceTargets(sequence, layout);
    for (const index of [0, 1]) for (const frame of step(index)) await targets.accept(frame);
    for (const index of [0, 1]) {
      const logits = await targets.targets(index, sequence.batch(index));
      expect(logits).toEqual(expectedLogits(Array.from({ length: 400 }, (_, row) => row + index)));
    }
    expect(targets.framesConsumed).toBe(2);
  });

  it('has steps that are shorter than others, with parts that have no rows', async () => {
    const targets = new SequenceTargets(sequence, { ...layout, parts: 5, partRows: 90 }, { fromStep: 2 });
    const { ids, inputs } = sequence.batch(2);
    expect(ids.length).toBe(300);
    const short = frames(2, inputs, 300, 90, 0, 5);
    for (const frame of short) await targets.accept(frame);
    const logits = await targets.targets(2, sequence.batch(2));
    expect(logits).toEqual(expectedLogits(Array.from({ length: 300 }, (_, row) => row)));
  });

  it('counts a step when it is trained, and what earlier attempts trained as such', () => {
    const targets = new SequenceTargets(sequence, layout, { fromStep: 2 });
    expect(targets.framesTrained).toBe(2);
    targets.trained(2);
    targets.trained(2);
    expect(targets.framesTrained).toBe(3);
  });

  it('holds the reader back until the training is near', async () => {
    const targets = new SequenceTargets(sequence, layout, { lookAheadSteps: 1 });
    for (const frame of step(0)) await targets.accept(frame);
    let taken = false;
    const [next] = step(1);
    if (next === undefined) throw new Error('no frame');
    const accepting = targets.accept(next).then(() => (taken = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(false);
    await targets.targets(0, sequence.batch(0));
    await accepting;
    expect(taken).toBe(true);
  });

  it('drops what was trained before it was cut, and counts it as taken in', async () => {
    const targets = new SequenceTargets(sequence, layout, { fromStep: 1 });
    for (const index of [0, 1]) for (const frame of step(index)) await targets.accept(frame);
    expect(targets.framesConsumed).toBe(1);
    await targets.targets(1, sequence.batch(1));
    expect(targets.framesConsumed).toBe(2);
  });

  it('refuses to train on logits of another batch', async () => {
    const targets = new SequenceTargets(sequence, layout);
    for (const frame of step(0)) await targets.accept({ ...frame, inputDigest: 'feedfeedfeedfeed' });
    await expect(targets.targets(0, sequence.batch(0))).rejects.toMatchObject({
      code: 'STREAM.MISALIGNED',
      details: { step: 0, teacher: { digest: 'feedfeedfeedfeed' } },
    });
  });

  it.each([0, 2])(
    'refuses frames that begin one step after the one that it goes on with: %i',
    async (fromStep) => {
      const targets = new SequenceTargets(sequence, layout, { fromStep });
      const [early] = step(fromStep + 1);
      if (early === undefined) throw new Error('no frame');
      await expect(targets.accept(early)).rejects.toMatchObject({
        code: 'STREAM.MISALIGNED',
        message: expect.stringMatching(
          new RegExp(
            `^step ${fromStep}: .*${KEY} goes on with step ${fromStep + 1}, .*with step ${fromStep}`,
          ),
        ) as unknown,
        details: { step: fromStep, student: { view: sequence.spec }, teacher: { step: fromStep + 1 } },
      });
    },
  );

  it('lets a waiting reader go when it fails', async () => {
    const targets = new SequenceTargets(sequence, layout, { lookAheadSteps: 1 });
    for (const frame of step(0)) await targets.accept(frame);
    const [far] = step(1);
    if (far === undefined) throw new Error('no frame');
    const accepting = targets.accept(far);
    targets.fail(new Error('cancelled'));
    await expect(accepting).rejects.toThrow('cancelled');
  });
});
