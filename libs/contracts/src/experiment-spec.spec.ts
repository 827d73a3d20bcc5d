import { describe, expect, it } from 'vitest';
import { parseStrict } from './contract.js';
import { FidelisError } from './errors.js';
import { canonicalJson } from './canonical-json.js';
import {
  experimentSpecSchema,
  resolveTeacherTraining,
  studentSeed,
  type ExperimentSpecInput,
  type TeacherTrainingSpec,
} from './experiment-spec.js';

const minimal = {
  name: 'lenet5-mnist',
  dataset: 'mnist',
  teacher: {
    architecture: 'lenet5',
    train: { epochs: 50, batchSize: 32, optimizer: { learningRate: 0.01 } },
  },
  student: { architecture: 'lenet5', epochs: 3, batchSize: 128, optimizer: { learningRate: 0.01 } },
};

type Edit = (spec: Record<string, Record<string, unknown>>) => void;

function edited(edit: Edit): unknown {
  const spec = structuredClone(minimal) as unknown as Record<string, Record<string, unknown>>;
  edit(spec);
  return spec;
}

function issuesOf(value: unknown): { field: string; problem: string }[] {
  try {
    parseStrict(experimentSpecSchema, value, 'SPEC.INVALID');
  } catch (error) {
    if (FidelisError.is(error) && error.code === 'SPEC.INVALID') return error.details['issues'] as never;
    throw error;
  }
  return [];
}

describe('experimentSpecSchema', () => {
  it("completes the shortest spec with the demo's recipe", () => {
    expect(parseStrict(experimentSpecSchema, minimal)).toEqual({
      name: 'lenet5-mnist',
      seed: 0,
      dataset: 'mnist',
      teacher: {
        architecture: { name: 'lenet5' },
        train: {
          epochs: 50,
          batchSize: 32,
          optimizer: { kind: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 0 },
          schedule: { kind: 'cosine', floor: 0 },
        },
      },
      view: { kind: 'table' },
      codec: 'f16',
      student: {
        architecture: { name: 'lenet5' },
        loss: { kind: 'kd', temperature: 4, alpha: 0 },
        epochs: 3,
        batchSize: 128,
        optimizer: { kind: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: true, weightDecay: 0 },
        schedule: { kind: 'cosine', floor: 0 },
      },
      evaluation: { sets: ['test', 'train-clean'], everyEpochs: 1 },
      placement: 'cpu',
    });
  });

  it('gives the same for what it gave: defaults do not move', () => {
    const once = parseStrict(experimentSpecSchema, minimal);
    expect(parseStrict(experimentSpecSchema, once)).toEqual(once);
  });

  it('takes a teacher that exists', () => {
    const spec = parseStrict(experimentSpecSchema, { ...minimal, teacher: { id: 't-0123456789ab' } });
    expect(spec.teacher).toEqual({ id: 't-0123456789ab' });
  });

  it.each<[string, string, Edit]>([
    ['a negative number of epochs', 'student.epochs', ({ student }) => ((student ?? {})['epochs'] = -1)],
    ['no epochs', 'student.epochs', ({ student }) => ((student ?? {})['epochs'] = 0)],
    ['half an epoch', 'student.epochs', ({ student }) => ((student ?? {})['epochs'] = 1.5)],
    ['τ = 0', 'student.loss.temperature', ({ student }) => ((student ?? {})['loss'] = { temperature: 0 })],
    ['τ < 0', 'student.loss.temperature', ({ student }) => ((student ?? {})['loss'] = { temperature: -4 })],
    ['α > 1', 'student.loss.alpha', ({ student }) => ((student ?? {})['loss'] = { alpha: 1.01 })],
    ...[-0.01, 1.01].map((lambda): [string, string, Edit] => [
      `λ = ${lambda}`,
      'student.initialisation.lambda',
      ({ student }) => ((student ?? {})['initialisation'] = { kind: 'interpolate', lambda }),
    ]),
    ['an unknown field', 'student.epoch', ({ student }) => ((student ?? {})['epoch'] = 3)],
    [
      'an unknown field of the optimizer',
      'student.optimizer.lr',
      ({ student }) => ((student ?? {})['optimizer'] = { learningRate: 0.1, lr: 1 }),
    ],
    [
      'Nesterov without momentum',
      'student.optimizer.nesterov',
      ({ student }) => ((student ?? {})['optimizer'] = { learningRate: 0.1, momentum: 0, nesterov: true }),
    ],
    [
      'momentum 1',
      'student.optimizer.momentum',
      ({ student }) => ((student ?? {})['optimizer'] = { learningRate: 0.1, momentum: 1 }),
    ],
    [
      'a learning rate of 0',
      'student.optimizer.learningRate',
      ({ student }) => ((student ?? {})['optimizer'] = { learningRate: 0 }),
    ],
    [
      'an unknown architecture',
      'student.architecture.name',
      ({ student }) => ((student ?? {})['architecture'] = 'resnet18'),
    ],
    ['a seed beyond 32 bits', 'seed', (spec) => ((spec as Record<string, unknown>)['seed'] = 2 ** 32)],
    ['an unknown set', 'evaluation.sets.0', (spec) => (spec['evaluation'] = { sets: ['train'] })],
    ['no set at all', 'evaluation.sets', (spec) => (spec['evaluation'] = { sets: [] })],
    ['an unknown view', 'view.kind', (spec) => (spec['view'] = { kind: 'stream' })],
    [
      'a sequence field in a table view',
      'view.augmentation',
      (spec) => (spec['view'] = { kind: 'table', augmentation: [] }),
    ],
    ['a name with a space', 'name', (spec) => ((spec as Record<string, unknown>)['name'] = 'my run')],
  ])('refuses %s and names %s', (_, field, edit) => {
    expect(issuesOf(edited(edit)).map((issue) => issue.field)).toContain(field);
  });

  it.each(['teacher', 'dataset', 'student', 'name'])('refuses a spec without %s', (field) => {
    const spec: Record<string, unknown> = structuredClone(minimal);
    delete spec[field];
    expect(issuesOf(spec).map((issue) => issue.field)).toContain(field);
  });

  it('allows plain momentum to be 0 where Nesterov is off', () => {
    const optimizer = { learningRate: 0.1, momentum: 0, nesterov: false };
    expect(issuesOf({ ...minimal, student: { ...minimal.student, optimizer } })).toEqual([]);
  });
});

describe('labels and views', () => {
  const withView = (view: object, loss: object): unknown => ({
    ...minimal,
    view: { kind: 'sequence', ...view },
    student: { ...minimal.student, loss },
  });

  it.each<[string, object]>([
    ['mixup as a policy', { policy: 'mixup' }],
    ['mixup in a list', { augmentation: [{ kind: 'mixup' }] }],
    ['appended samples', { policy: 'out-of-distribution', append: { dataset: 'svhn' } }],
    ['synthetic images', { policy: 'gan', synthetic: { dataset: 'made' } }],
  ])('a loss may not use labels under %s, and the paper says what to do instead', (_, view) => {
    const [issue] = issuesOf(withView(view, { alpha: 0.1 }));
    expect(issue?.field).toBe('student.loss.alpha');
    expect(issue?.problem).toMatch(/gives the labels a weight, and .* Set it to 0/);
    expect(issuesOf(withView(view, { kind: 'dkd', alpha: 0 })).map(({ field }) => field)).toEqual([
      'student.loss.kind',
    ]);
    expect(issuesOf(withView(view, { alpha: 0 }))).toEqual([]);
  });

  it('a loss may use them under augmentations that leave an image what it is', () => {
    expect(issuesOf(withView({ policy: 'combined' }, { alpha: 0.9 }))).toEqual([]);
  });
});

describe("a teacher's own augmentation", () => {
  const withTraining = (more: object): unknown => ({
    ...minimal,
    teacher: { ...minimal.teacher, train: { ...minimal.teacher.train, ...more } },
  });
  const trainingOf = (more: object): TeacherTrainingSpec => {
    const { teacher } = parseStrict(experimentSpecSchema, withTraining(more));
    if ('id' in teacher || 'kind' in teacher) throw new Error('the spec trains its teacher');
    return resolveTeacherTraining(teacher.train);
  };

  it('is absent where nothing is said of it: teachers of before keep their ids', () => {
    expect(canonicalJson(trainingOf({ subset: { size: 200 } }))).toBe(
      '{"batchSize":32,"epochs":50,"optimizer":{"kind":"sgd","learningRate":0.01,"momentum":0.9,"nesterov":true,"weightDecay":0},' +
        '"schedule":{"floor":0,"kind":"cosine"},"subset":{"seed":0,"size":200,"stratified":true}}',
    );
    expect(trainingOf({ augmentation: [] })).toEqual(trainingOf({}));
  });

  it("is a list, or one of the paper's policies: both give one teacher", () => {
    const steps = [
      { kind: 'crop', padding: 4 },
      { kind: 'horizontal-flip', probability: 0.5 },
    ];
    expect(trainingOf({ policy: 'baseline' })).toMatchObject({ augmentation: steps });
    expect(trainingOf({ policy: 'baseline' })).toEqual(trainingOf({ augmentation: steps }));
  });

  it.each([
    ['policy', 'mixup', { policy: 'mixup' }],
    ['augmentation', 'mixup', { augmentation: [{ kind: 'mixup' }] }],
    ['policy', 'out-of-distribution', { policy: 'out-of-distribution' }],
    ['policy', 'gan', { policy: 'gan' }],
  ])('is refused in %s where labels would say nothing: %s', (field, name, more) => {
    const [issue] = issuesOf(withTraining(more));
    expect(issue?.field).toBe(`teacher.train.${field}`);
    expect(issue?.problem).toMatch(new RegExp(`a teacher learns from labels.*${name}`));
  });

  it('is refused where it is said twice, or in another order than the stated one', () => {
    const flip = { kind: 'horizontal-flip' };
    expect(issuesOf(withTraining({ policy: 'baseline', augmentation: [flip] }))).toHaveLength(1);
    expect(issuesOf(withTraining({ augmentation: [flip, { kind: 'crop' }] }))[0]?.problem).toContain(
      'write them as crop, horizontal-flip',
    );
  });
});

describe('studentSeed', () => {
  const specOf = (spec: Partial<ExperimentSpecInput>, student = {}): number =>
    studentSeed(
      parseStrict(experimentSpecSchema, { ...minimal, ...spec, student: { ...minimal.student, ...student } }),
    );

  it("is another than the teacher's unless someone asks for the same", () => {
    expect(specOf({ seed: 5 })).toBe(6);
    expect(specOf({ seed: 5 }, { seed: 5 })).toBe(5);
    expect(specOf({ seed: 0xffffffff })).toBe(0);
  });
});
