import {
  parseStrict,
  runRecordSchema,
  teacherSpecSchema,
  trainJobSchema,
  type ExperimentSpec,
  type TrainedTeacherSpec,
  type ViewSpec,
} from '@fidelis/contracts';
import { datasetInfo } from '@fidelis/data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CREATED, dataset, runOf, specOf, streamOf } from '../../fixtures/records.js';
import {
  newRun,
  newRunId,
  rowsOfSteps,
  streamSteps,
  studentJobOf,
  wantedTeacher,
  toRecord,
  viewOf,
  viewRows,
} from './run-creation.js';

const mnist = datasetInfo('mnist');
const table: ViewSpec = { kind: 'table', dataset, split: 'train' };
const sequence = (batchSize: number, size?: number): ViewSpec => ({
  kind: 'sequence',
  dataset,
  split: 'train',
  ...(size === undefined ? {} : { subset: { size, stratified: true, seed: 0 } }),
  augmentation: [],
  seed: 0,
  batchSize,
});

describe('newRunId', () => {
  it('is a new one each time, and a token of subjects', () => {
    const ids = Array.from({ length: 100 }, newRunId);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^r-[0-9a-hjkmnp-tv-z]{10}$/);
  });
});

describe('newRun', () => {
  it('is a record that every service can read', () => {
    expect(parseStrict(runRecordSchema, toRecord(runOf()))).toMatchObject({
      id: 'r-0123456789',
      state: 'preparing',
      createdAt: CREATED.toISOString(),
      startedAt: null,
      endedAt: null,
      progress: { step: 0, epochs: 3 },
    });
  });
});

describe('viewOf', () => {
  it('is a table over the training split unless the spec says otherwise', () => {
    expect(viewOf(specOf(), dataset)).toEqual(table);
    expect(viewOf(specOf({ view: { kind: 'table', subset: { size: 500 } } }), dataset)).toEqual({
      ...table,
      subset: { size: 500, stratified: true, seed: 0 },
    });
  });

  it("is a sequence with the student's batches and the experiment's seed, unless it has its own", () => {
    const augmentation = [{ kind: 'random-shift' as const, maxPixels: 2 }];
    expect(viewOf(specOf({ seed: 5, view: { kind: 'sequence', augmentation } }), dataset)).toEqual({
      ...sequence(128),
      augmentation,
      seed: 5,
    });
    expect(viewOf(specOf({ seed: 5, view: { kind: 'sequence', seed: 0 } }), dataset)).toMatchObject({
      seed: 0,
    });
  });
});

function trainedSpec(spec: ExperimentSpec): TrainedTeacherSpec {
  const wanted = wantedTeacher(spec, dataset);
  if (wanted.kind !== 'spec') throw new Error('the spec trains its teacher');
  return wanted.spec;
}

describe('the teacher that a run wants', () => {
  it("takes the experiment's seed where the teacher has none of its own", () => {
    const { teacher } = specOf();
    expect(wantedTeacher(specOf({ seed: 5 }), dataset)).toMatchObject({
      kind: 'spec',
      spec: { seed: 5, dataset },
    });
    expect(wantedTeacher(specOf({ seed: 5, teacher: { ...teacher, seed: 0 } }), dataset)).toMatchObject({
      spec: { seed: 0 },
    });
    expect(wantedTeacher(specOf({ teacher: { id: 't-0123456789ab' } }), dataset)).toEqual({
      kind: 'id',
      id: 't-0123456789ab',
    });
  });

  it('may be a table of logits', () => {
    const logits = 'ab'.repeat(32);
    expect(wantedTeacher(specOf({ teacher: { kind: 'table', logits } }), dataset)).toEqual({
      kind: 'table',
      logits,
      testLogits: null,
    });
  });
});

describe("a teacher's own augmentation", () => {
  it('is written out, so that a policy and its list name one teacher', () => {
    const spec = specOf();
    if ('id' in spec.teacher || 'kind' in spec.teacher) throw new Error('the spec trains its teacher');
    const { architecture, train } = spec.teacher;
    const [named, listed] = [
      { policy: 'baseline' as const },
      {
        augmentation: [
          { kind: 'crop' as const, padding: 4 },
          { kind: 'horizontal-flip' as const, probability: 0.5 },
        ],
      },
    ].map((more) => trainedSpec(specOf({ teacher: { architecture, train: { ...train, ...more } } })));
    expect(parseStrict(teacherSpecSchema, named)).toEqual(listed);
    expect(trainedSpec(spec)).not.toHaveProperty('train.augmentation');
  });
});

describe('a view that draws on another dataset', () => {
  const other = { name: 'fashion-mnist', digest: 'f'.repeat(64) };
  const append = { dataset: 'fashion-mnist', size: 1_000 };
  const spec = specOf({ view: { kind: 'sequence', policy: 'out-of-distribution', append } });

  it('has its digest and its samples', () => {
    const view = viewOf(spec, dataset, [other]);
    expect(view).toMatchObject({ append: { dataset: other, size: 1_000 } });
    expect(viewRows(view, mnist)).toBe(61_000);
    const row = newRun('r-1', spec, { dataset, info: mnist, others: [other] }, 'c-1', new Date());
    expect(row.plan).toMatchObject({ viewRows: 61_000, others: [other] });
  });
});

describe('a part of the split', () => {
  it.each([
    ['d0', 30_000],
    ['d1', 30_000],
    ['d0+d1', 60_000],
  ] as const)('%s is a view of %i samples', (part, rows) => {
    const spec = specOf({ view: { kind: 'table', subset: { part } } });
    expect(viewRows(viewOf(spec, dataset), mnist)).toBe(rows);
  });
});

describe('streamSteps', () => {
  it.each([
    ['the chunks of a table, however many epochs', table, 30, 59],
    ['the chunks of a part of it', { ...table, subset: { size: 1_025, stratified: true, seed: 0 } }, 3, 2],
    ['the batches of all epochs, short ones too', sequence(128), 3, 3 * 469],
    ['the batches of a part', sequence(128, 200), 5, 10],
  ] as const)('are %s', (_, view, epochs, steps) => {
    expect(streamSteps(view, mnist, epochs)).toBe(steps);
  });

  it('come to all rows of all epochs, and no step is without rows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 4_096 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (size, batchSize, epochs, isTable) => {
          const subset = { size, stratified: false, seed: 0 };
          const view: ViewSpec = isTable ? { ...table, subset } : sequence(Math.min(batchSize, size), size);
          const steps = streamSteps(view, mnist, epochs);
          const all = isTable ? size : size * epochs;
          expect(rowsOfSteps(view, size, steps)).toBe(all);
          expect(rowsOfSteps(view, size, steps - 1)).toBeLessThan(all);
          expect(rowsOfSteps(view, size, 0)).toBe(0);
        },
      ),
    );
  });
});

describe('studentJobOf', () => {
  it('is a job that a worker can read, of the stream as it was opened', () => {
    const stream = streamOf();
    const job = studentJobOf(runOf(specOf({ seed: 5 })), stream);
    expect(parseStrict(trainJobSchema, job)).toEqual(job);
    expect(job).toMatchObject({
      runId: 'r-0123456789',
      seed: 6,
      view: stream.view,
      stream: { key: stream.key, steps: 59, parts: 1, partRows: 1_024, codec: 'f16' },
      teacherDigest: stream.teacherDigest,
      evaluation: { sets: ['test', 'train-clean'], everyEpochs: 1 },
    });
  });
});
