import {
  parseStrict,
  teacherRecordSchema,
  trainedTeacherSpecSchema,
  trainJobSchema,
  type TrainedTeacherSpec,
} from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { teacherIdOf } from './teacher-id.js';
import { newTeacher, teacherJobOf, toTeacherRecord } from './teacher-records.js';

const NOW = new Date('2026-01-01T00:00:00Z');

const spec: TrainedTeacherSpec = parseStrict(trainedTeacherSpecSchema, {
  architecture: { name: 'lenet5' },
  dataset: { name: 'mnist', digest: 'da'.repeat(32) },
  seed: 3,
  train: {
    subset: { size: 200 },
    epochs: 50,
    batchSize: 32,
    optimizer: { learningRate: 0.01 },
  },
});

describe('teacherIdOf', () => {
  it('is the same for the same spec, however it was put together', () => {
    const turned = Object.fromEntries(Object.entries(spec).reverse()) as TrainedTeacherSpec;
    expect(teacherIdOf(turned)).toBe(teacherIdOf(spec));
    expect(teacherIdOf(spec)).toMatch(/^t-[0-9a-f]{12}$/);
  });

  it('is another for another seed, dataset, recipe or architecture', () => {
    const { train } = spec;
    const ids = [
      spec,
      { ...spec, seed: 4 },
      { ...spec, dataset: { ...spec.dataset, digest: 'db'.repeat(32) } },
      { ...spec, train: { ...train, epochs: 51 } },
      { ...spec, train: { ...train, subset: { size: 200, stratified: true, seed: 1 } } },
      { ...spec, train: { ...train, augmentation: [{ kind: 'horizontal-flip', probability: 0.5 }] } },
      { ...spec, architecture: { name: 'mlp' } },
    ].map((one) => teacherIdOf(one as TrainedTeacherSpec));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('a new teacher', () => {
  const row = newTeacher(spec, 'c-1', NOW);

  it('is in training, with the classes of its dataset', () => {
    expect(parseStrict(teacherRecordSchema, toTeacherRecord(row))).toEqual({
      id: teacherIdOf(spec),
      state: 'training',
      spec,
      classes: 10,
      members: 1,
      weightsDigest: null,
      memberModels: [{ teacherId: teacherIdOf(spec), seed: 3, weights: null }],
      execution: null,
      progress: { done: 0, total: 0 },
      error: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      readyAt: null,
    });
  });

  it('is a job that a worker can read, under its own id', () => {
    const job = teacherJobOf(row);
    expect(parseStrict(trainJobSchema, job)).toEqual(job);
    expect(job).toMatchObject({ kind: 'teacher', runId: row.id, seed: 3, epochs: 50, subset: { size: 200 } });
  });

  it('of the whole split has a job without a subset', () => {
    const { subset: _, ...recipe } = spec.train;
    const job = teacherJobOf(newTeacher({ ...spec, train: recipe }, 'c-1', NOW));
    expect(job).not.toHaveProperty('subset');
    expect(parseStrict(trainJobSchema, job)).toEqual(job);
  });

  it('of an unknown dataset is refused', () => {
    const unknown = { ...spec, dataset: { name: 'mnits', digest: 'da'.repeat(32) } };
    expect(() => newTeacher(unknown, 'c-1', NOW)).toThrow(
      expect.objectContaining({
        code: 'DATASET.UNKNOWN',
        message: expect.stringContaining('mnist') as unknown,
      }) as Error,
    );
  });
});
