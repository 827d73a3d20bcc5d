import { FidelisError, type ExperimentSpec, type ExperimentSpecInput } from '@fidelis/contracts';
import { datasetInfo } from '@fidelis/data';
import { describe, expect, it } from 'vitest';
import { dataset, specOf, teacherOf } from '../../fixtures/records.js';
import { checkSpec, checkTeacher } from './check-spec.js';

const recipe = { epochs: 3, batchSize: 1, optimizer: { learningRate: 1 } };

function withTeacher(train: object): ExperimentSpec {
  return specOf({ teacher: { architecture: 'mlp', train: { ...recipe, ...train } } });
}

function withView(view: ExperimentSpecInput['view']): ExperimentSpec {
  return specOf({ view });
}

async function refusalOf(work: () => unknown): Promise<FidelisError> {
  try {
    await work();
  } catch (error) {
    return FidelisError.from(error);
  }
  throw new Error('nothing was refused');
}

describe('a run is refused before anything is done', () => {
  it.each<[string, ExperimentSpec, string, string]>([
    [
      'a view of more samples than there are',
      withView({ kind: 'table', subset: { size: 60_001, stratified: false } }),
      'view.subset.size',
      '60001 samples do not fit the split: it has 60000',
    ],
    [
      'a teacher with more samples than there are',
      withTeacher({ subset: { size: 60_010 } }),
      'teacher.train.subset.size',
      '60010 samples do not fit',
    ],
    [
      'fewer samples than classes',
      withTeacher({ subset: { size: 5 } }),
      'teacher.train.subset.size',
      '5 samples cannot be spread evenly over 10 classes: use 10',
    ],
    [
      'samples that the classes do not divide',
      withView({ kind: 'table', subset: { size: 1_001 } }),
      'view.subset.size',
      'use 1000, or 1010',
    ],
    // MNIST has 5,421 fives, the fewest of all digits.
    [
      'more of a class than there are',
      withTeacher({ subset: { size: 60_000 } }),
      'teacher.train.subset.size',
      'class 5 has 5421: use at most 54210',
    ],
    [
      'a part without samples',
      withView({ kind: 'table', subset: { part: 'd0', ratio: 0.000001 } }),
      'view.subset.ratio',
      'empty',
    ],
    [
      'a batch larger than the view',
      withView({ kind: 'table', subset: { size: 120 } }),
      'student.batchSize',
      'a batch of 128 is larger than the 120 samples there',
    ],
    [
      "a batch larger than the teacher's part",
      withTeacher({ subset: { part: 'd0', ratio: 0.0005 }, batchSize: 32 }),
      'teacher.train.batchSize',
      'a batch of 32 is larger than the 30 samples there',
    ],
    [
      "a teacher's warm-up longer than its training",
      withTeacher({ schedule: { warmUpEpochs: 3.5 } }),
      'teacher.train.schedule.warmUpEpochs',
      'a warm-up of 3.5 epochs is longer than the whole training of 3',
    ],
    [
      'appended samples that are not there',
      withView({ kind: 'sequence', append: { dataset: 'fashion-mnist', size: 60_001 } }),
      'view.append.size',
      '60001 samples are more than the 60000 of fashion-mnist',
    ],
  ])('%s', async (_, spec, field, problem) => {
    const error = await refusalOf(() => checkSpec(spec));
    expect(error.code).toBe('SPEC.INVALID');
    expect(error.details['issues']).toEqual([
      { field, problem: expect.stringContaining(problem) as unknown },
    ]);
    expect(error.message).toContain(`${field}: `);
  });

  it.each<[string, ExperimentSpec, string]>([
    ['dataset', specOf({ dataset: 'mnits' }), 'mnits'],
    ['view.append.dataset', withView({ kind: 'sequence', append: { dataset: 'svhn' } }), 'svhn'],
    ['view.synthetic.dataset', withView({ kind: 'sequence', synthetic: { dataset: 'made' } }), 'made'],
  ])('an unknown name in %s', async (field, spec, name) => {
    const error = await refusalOf(() => checkSpec(spec));
    expect(error.code).toBe('DATASET.UNKNOWN');
    expect(error.details['issues']).toEqual([{ field, problem: expect.stringContaining(name) as unknown }]);
  });

  it.each([
    withView({ kind: 'table', subset: { size: 54_210 } }),
    withView({ kind: 'table', subset: { size: 60_000, stratified: false } }),
    withView({ kind: 'table', subset: { size: 130, stratified: false } }),
    withView({ kind: 'sequence', append: { dataset: 'fashion-mnist', size: 60_000 } }),
    withTeacher({ schedule: { warmUpEpochs: 3 } }),
  ])('and not where all fits: %#', async (spec) => {
    await expect(checkSpec(spec)).resolves.toEqual(datasetInfo('mnist'));
  });
});

describe('a teacher that exists', () => {
  const named = specOf({ teacher: { id: 't-0123456789ab' } });

  it('is refused if it learned from other data', async () => {
    const error = await refusalOf(() => {
      checkTeacher(named, teacherOf(), 'e'.repeat(64));
    });
    expect(error.code).toBe('DATASET.MISMATCH');
    expect(error.message).toContain('teacher.id: ');
  });

  it('is refused if the student cannot start from it, of another architecture or without such a member', async () => {
    const from = (member: number): ExperimentSpec => ({
      ...named,
      student: { ...named.student, initialisation: { kind: 'teacher-initial', member } },
    });
    const mlp = from(0);
    const other = { ...mlp, student: { ...mlp.student, architecture: { name: 'mlp' as const } } };
    for (const [spec, problem] of [
      [other, 'architecture'],
      [from(1), 'single model'],
    ] as const) {
      const error = await refusalOf(() => {
        checkTeacher(spec, teacherOf(), dataset.digest);
      });
      expect(error.code).toBe('SPEC.INVALID');
      expect(error.message).toContain(problem);
    }
    expect(() => {
      checkTeacher(from(0), teacherOf(), dataset.digest);
    }).not.toThrow();
  });
});
