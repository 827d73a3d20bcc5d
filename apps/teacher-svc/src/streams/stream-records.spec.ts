import {
  parseStrict,
  streamKey,
  streamRecordSchema,
  type SequenceViewSpec,
  type TableViewSpec,
} from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import { coversSplit, newStream, toStreamRecord } from './stream-records.js';

const NOW = new Date('2026-01-01T00:00:00Z');
const dataset = { name: 'mnist', digest: 'da'.repeat(32) };
const weightsDigest = 'fe'.repeat(32);
const table: TableViewSpec = { kind: 'table', dataset, split: 'train' };
const sequence: SequenceViewSpec = { ...table, kind: 'sequence', augmentation: [], seed: 0, batchSize: 128 };

const teacher: TeacherRow = {
  id: 't-0123456789ab',
  state: 'ready',
  spec: { architecture: { name: 'lenet5' }, dataset, seed: 0, train: {} as never },
  classes: 10,
  members: 1,
  weightsDigest,
  memberWeights: [weightsDigest],
  execution: null,
  progress: { done: 1, total: 1 },
  error: null,
  correlationId: 'c-0',
  createdAt: NOW,
  readyAt: NOW,
};
const request = { view: table, codec: 'f16', steps: 59, correlationId: 'c-1' } as const;

describe('newStream', () => {
  it('is named by teacher, view and codec, and not by its length', () => {
    const { key } = newStream(teacher, request, NOW);
    expect(key).toBe(streamKey(weightsDigest, table, 'f16'));
    expect(newStream(teacher, { ...request, steps: 3 }, NOW).key).toBe(key);
    expect(newStream(teacher, { ...request, codec: 'f32' }, NOW).key).not.toBe(key);
  });

  it('is a record that every service can read', () => {
    const record = toStreamRecord(newStream(teacher, request, NOW));
    expect(parseStrict(streamRecordSchema, record)).toEqual(record);
    expect(record).toMatchObject({ state: 'opening', parts: 1, partRows: 1_024, publishedSteps: 0 });
  });

  it.each([
    ['the rows of a chunk', table, 1_024],
    ['the rows of a small part', { ...table, subset: { size: 9, stratified: false, seed: 0 } }, 9],
    ['the rows of a batch', sequence, 128],
    ['a batch larger than its part', { ...sequence, subset: { size: 9, stratified: false, seed: 0 } }, 9],
  ] as const)('has parts for %s', (_, view, partRows) => {
    expect(newStream(teacher, { ...request, view }, NOW)).toMatchObject({ parts: 1, partRows });
  });

  it('divides steps that are too large for one message', () => {
    const many = { ...teacher, classes: 1_000, members: 5 };
    expect(newStream(many, { ...request, codec: 'f32' }, NOW)).toMatchObject({ parts: 40, partRows: 26 });
  });

  it('waits for a teacher in training', () => {
    expect(() => newStream({ ...teacher, state: 'training', weightsDigest: null }, request, NOW)).toThrow(
      expect.objectContaining({ code: 'TEACHER.NOT_READY', retryable: true }) as Error,
    );
  });

  it('refuses data that the teacher was not trained on', () => {
    const view = { ...table, dataset: { name: 'mnist', digest: 'db'.repeat(32) } };
    expect(() => newStream(teacher, { ...request, view }, NOW)).toThrow(
      expect.objectContaining({ code: 'DATASET.MISMATCH' }) as Error,
    );
  });
});

describe('coversSplit', () => {
  it('is true of a whole split as it is', () => {
    expect(coversSplit(table)).toBe(true);
    expect(coversSplit({ ...table, subset: { size: 9, stratified: true, seed: 0 } })).toBe(false);
    expect(coversSplit(sequence)).toBe(false);
  });
});
