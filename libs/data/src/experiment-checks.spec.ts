import { experimentSpecSchema, type ExperimentSpec, type ExperimentSpecInput } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { asksForClasses, experimentIssues, type CheckedDataset } from './experiment-checks.js';

const recipe = { epochs: 10, batchSize: 20, optimizer: { learningRate: 0.1 } };

const small: CheckedDataset = {
  name: 'small',
  splits: { train: 100, test: 10 },
  classes: 3,
  inputShape: { height: 32, width: 32, channels: 3 },
  trainCounts: [60, 30, 10],
};
const grey: CheckedDataset = { ...small, name: 'grey', inputShape: { height: 32, width: 32, channels: 1 } };
const texts: CheckedDataset = { ...small, name: 'texts', inputShape: { length: 20, vocabulary: 100 } };
/** Nothing but its name and sizes is known. */
const vague: CheckedDataset = { name: 'vague', splits: small.splits };

interface Changes {
  readonly dataset?: string;
  readonly view?: ExperimentSpecInput['view'];
  readonly train?: object;
  readonly student?: object;
}

function specOf({ dataset = 'small', view, train, student }: Changes = {}): ExperimentSpec {
  return experimentSpecSchema.parse({
    name: 'a-spec',
    dataset,
    teacher: { architecture: 'mlp', train: { ...recipe, ...train } },
    student: { architecture: 'mlp', ...recipe, ...student },
    ...(view === undefined ? {} : { view }),
  });
}

function fieldsOf(spec: ExperimentSpec): string[] {
  const all = [small, grey, texts, vague];
  return experimentIssues(spec, (name) => all.find((dataset) => dataset.name === name)).map(
    ({ field, problem }) => `${field}: ${problem}`,
  );
}

describe('what speaks against a spec', () => {
  it('is nothing where everything fits', () => {
    expect(fieldsOf(specOf())).toEqual([]);
    expect(fieldsOf(specOf({ train: { subset: { size: 30 }, schedule: { warmUpEpochs: 10 } } }))).toEqual([]);
    expect(fieldsOf(specOf({ dataset: 'texts', view: { kind: 'sequence' } }))).toEqual([]);
  });

  it.each<[string, Changes, readonly string[]]>([
    [
      'a class with too few samples',
      { train: { subset: { size: 33 } } },
      [
        'teacher.train.subset.size: 33 stratified samples need 11 of every class, but class 2 has 10: use at most 30',
      ],
    ],
    [
      'a batch larger than the subset',
      { view: { kind: 'table', subset: { size: 18 } } },
      ['student.batchSize: a batch of 20 is larger than the 18'],
    ],
    [
      'warm-ups that never end',
      {
        train: { schedule: { warmUpEpochs: 11 } },
        student: { schedule: { warmUpEpochs: 10.5 }, loss: { kind: 'dkd', warmUpEpochs: 20 } },
      },
      [
        'teacher.train.schedule.warmUpEpochs: a warm-up of 11 epochs is longer than the whole training of 10',
        'student.schedule.warmUpEpochs: a warm-up of 10.5',
        'student.loss.warmUpEpochs: a warm-up of 20',
      ],
    ],
    [
      'appended images of another shape',
      { view: { kind: 'sequence', append: { dataset: 'grey', size: 50 } } },
      ['view.append.dataset: inputs of grey are 32×32×1, those of small 32×32×3'],
    ],
    [
      'synthetic inputs that are texts',
      { view: { kind: 'sequence', synthetic: { dataset: 'texts' } } },
      ['view.synthetic.dataset: inputs of texts are texts of 20 words'],
    ],
    [
      'more appended samples than there are',
      { dataset: 'grey', view: { kind: 'sequence', append: { dataset: 'vague', size: 101 } } },
      ['view.append.size: 101 samples are more than the 100 of vague'],
    ],
    [
      'augmented texts',
      { dataset: 'texts', train: { policy: 'baseline' }, view: { kind: 'sequence', policy: 'baseline' } },
      ['view: texts has texts', 'teacher.train: texts has texts'],
    ],
  ])('is %s', (_, changes, expected) => {
    const found = fieldsOf(specOf(changes));
    expect(found).toHaveLength(expected.length);
    expected.forEach((text, i) => expect(found[i]).toContain(text));
  });

  it('is judged by what is known, and by the spec alone where nothing is', () => {
    const stratified = { train: { subset: { size: 34 } } };
    expect(fieldsOf(specOf({ ...stratified, dataset: 'vague' }))).toEqual([]);
    expect(
      fieldsOf(specOf({ dataset: 'unheard-of', student: { schedule: { warmUpEpochs: 11 } } })),
    ).toHaveLength(1);
  });

  it('asks for the classes only where a subset has equal numbers of them', () => {
    expect(asksForClasses(specOf())).toBe(false);
    expect(asksForClasses(specOf({ train: { subset: { size: 30, stratified: false } } }))).toBe(false);
    expect(asksForClasses(specOf({ view: { kind: 'table', subset: { part: 'd0' } } }))).toBe(false);
    expect(asksForClasses(specOf({ train: { subset: { size: 30 } } }))).toBe(true);
  });
});
