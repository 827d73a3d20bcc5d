import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ARCHITECTURES, FidelisError } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { locateServiceError, parseSpec, readSpec, type LocatedIssue } from './read-spec.js';

const DATASETS = [{ name: 'mnist', splits: { train: 60_000, test: 10_000 } }];
const KNOWN = { known: DATASETS };
const EXAMPLES = new URL('../../../../examples/', import.meta.url);

const GOOD = `name: small
dataset: mnist
teacher:
  architecture: lenet5
  train:
    subset: { size: 200 }
    epochs: 100
    batchSize: 32
    optimizer: { learningRate: 0.05 }
student:
  architecture: lenet5
  epochs: 3
  batchSize: 128
  optimizer: { learningRate: 0.01 }
`;

function failure(text: string): FidelisError {
  try {
    parseSpec('my.yaml', text, KNOWN);
  } catch (error) {
    if (FidelisError.is(error)) return error;
    throw error;
  }
  throw new Error('the spec was accepted');
}

function issuesOf(error: FidelisError): LocatedIssue[] {
  return error.details['issues'] as LocatedIssue[];
}

/** Those that examples ask people to add. */
const ADDED = ['fashion-mnist', 'cifar10', 'rt-polarity'].map((name) => ({
  name,
  splits: { train: 9_000, test: 1_000 },
}));

describe('a good spec', () => {
  it('is read with its defaults', () => {
    const { spec } = parseSpec('my.yaml', GOOD, KNOWN);
    expect(spec.student.architecture).toEqual({ name: 'lenet5' });
    expect(spec.student.loss).toEqual({ kind: 'kd', temperature: 4, alpha: 0 });
    expect(spec.view).toEqual({ kind: 'table' });
  });

  it('is what every example is, each with the line that gives editors its schema', async () => {
    const files = (await readdir(EXAMPLES)).filter((file) => file.endsWith('.yaml'));
    expect(files).toContain('lenet5-mnist.yaml');
    for (const file of files) {
      const text = await readFile(new URL(file, EXAMPLES), 'utf8');
      expect(text.split('\n')[0]).toBe(
        '# yaml-language-server: $schema=../docs/schemas/experiment.schema.json',
      );
      const { spec } = parseSpec(file, text, { known: [...DATASETS, ...ADDED] });
      expect(`${spec.name}.yaml`).toBe(file);
    }
  });
});

describe('a mistake in a spec is named with its line, its field and what would be right', () => {
  const cases: {
    readonly what: string;
    readonly from: string;
    readonly to: string;
    readonly code: string;
    readonly issue: Partial<LocatedIssue>;
    readonly caretAt: string;
  }[] = [
    {
      what: 'a negative epoch count',
      from: 'epochs: 3',
      to: 'epochs: -3',
      code: 'SPEC.INVALID',
      issue: {
        field: 'student.epochs',
        line: 12,
        column: 11,
        problem: '-3 is not allowed here',
        expected: 'a whole number from 1 to 100000',
      },
      caretAt: '  12 |   epochs: -3\n     |           ^^ -3',
    },
    {
      what: 'an unknown field',
      from: '  batchSize: 128',
      to: '  batchsize: 128',
      code: 'SPEC.INVALID',
      issue: { field: 'student.batchsize', line: 13, column: 3, suggestion: 'batchSize' },
      caretAt: '  13 |   batchsize: 128\n     |   ^^^^^^^^^ there is no field',
    },
    {
      what: 'an unknown field of the document',
      from: 'dataset: mnist',
      to: 'dataset: mnist\nviews: { kind: table }',
      code: 'SPEC.INVALID',
      issue: { field: 'views', line: 3, suggestion: 'view' },
      caretAt: '^^^^^ there is no field "views" in a spec',
    },
    {
      what: 'an unknown field of the teacher',
      from: '  train:',
      to: '  trian:',
      code: 'SPEC.INVALID',
      issue: { field: 'teacher.trian', line: 5, suggestion: 'train' },
      caretAt: '^^^^^',
    },
    {
      what: 'an unknown dataset',
      from: 'dataset: mnist',
      to: 'dataset: minst',
      code: 'DATASET.UNKNOWN',
      issue: { field: 'dataset', line: 2, column: 10, suggestion: 'mnist', expected: 'one of mnist' },
      caretAt: 'dataset: minst\n    |          ^^^^^ there is no dataset "minst"',
    },
    {
      what: 'an unknown architecture',
      from: 'student:\n  architecture: lenet5',
      to: 'student:\n  architecture: lenet',
      code: 'MODEL.UNKNOWN',
      issue: {
        field: 'student.architecture.name',
        line: 11,
        suggestion: 'lenet5',
        expected: `one of ${ARCHITECTURES.join(', ')}`,
      },
      caretAt: '^^^^^ there is no architecture "lenet"',
    },
    {
      what: 'an unknown architecture of the teacher',
      from: 'teacher:\n  architecture: lenet5',
      to: 'teacher:\n  architecture: { name: resnet51 }',
      code: 'MODEL.UNKNOWN',
      issue: { field: 'teacher.architecture.name', line: 4, column: 25 },
      caretAt: '^^^^^^^^ there is no architecture "resnet51"',
    },
    {
      what: 'an unknown kind of view',
      from: 'dataset: mnist',
      to: 'dataset: mnist\nview: { kind: tabel }',
      code: 'SPEC.INVALID',
      issue: { field: 'view.kind', line: 3, suggestion: 'table', expected: 'one of table, sequence' },
      caretAt: '^^^^^',
    },
    {
      what: 'a missing field',
      from: '  epochs: 3\n',
      to: '',
      code: 'SPEC.INVALID',
      issue: {
        field: 'student.epochs',
        line: 10,
        problem: 'the field "epochs" is missing',
        expected: 'a whole number from 1 to 100000',
      },
      caretAt: '  10 | student:\n     | ^^^^^^^ the field',
    },
    {
      what: 'a text where a number belongs',
      from: 'learningRate: 0.01',
      to: 'learningRate: fast',
      code: 'SPEC.INVALID',
      issue: {
        field: 'student.optimizer.learningRate',
        line: 14,
        problem: '"fast" is not allowed here',
        expected: 'a number, greater than 0',
      },
      caretAt: '^^^^ "fast"',
    },
    {
      what: 'a rule over two fields',
      from: '{ learningRate: 0.01 }',
      to: '{ learningRate: 0.01, momentum: 0 }',
      code: 'SPEC.INVALID',
      issue: {
        field: 'student.optimizer.nesterov',
        line: 14,
        problem: 'Nesterov momentum needs momentum > 0',
      },
      caretAt: 'Nesterov',
    },
    {
      what: 'more samples than there are',
      from: 'size: 200',
      to: 'size: 70000',
      code: 'SPEC.INVALID',
      issue: { field: 'teacher.train.subset.size', line: 6, expected: 'a whole number from 1 to 60000' },
      caretAt: '^^^^^ mnist has only 60000 training samples',
    },
    {
      what: 'a teacher id of the wrong form',
      from: GOOD.slice(GOOD.indexOf('  architecture'), GOOD.indexOf('student:')),
      to: '  id: nobody\n',
      code: 'SPEC.INVALID',
      issue: { field: 'teacher.id', line: 4, expected: 'a teacher id looks like t-0123456789ab' },
      caretAt: '^^^^^^ "nobody"',
    },
  ];

  it.each(cases)('$what', ({ from, to, code, issue, caretAt }) => {
    expect(GOOD).toContain(from);
    const error = failure(GOOD.replace(from, to));
    expect(error.code).toBe(code);
    expect(issuesOf(error)).toEqual([expect.objectContaining(issue)]);
    expect(error.message).toContain(`my.yaml:${issue.line ?? 0}:`);
    expect(error.message).toContain(caretAt);
  });

  it('and so are all of them at once, in the order of the file', () => {
    const error = failure(
      GOOD.replace('epochs: 3', 'epochs: 1.5')
        .replace('mnist', 'cifar')
        .replace('batchSize: 32', 'batch_size: 32'),
    );
    expect(error.code).toBe('SPEC.INVALID');
    expect(error.message).toContain('my.yaml has 3 mistakes');
    expect(issuesOf(error).map(({ line, code }) => [line, code])).toEqual([
      [2, 'DATASET.UNKNOWN'],
      [8, 'SPEC.INVALID'],
      [12, 'SPEC.INVALID'],
    ]);
  });
});

describe('what a spec asks of its dataset is checked with the file', () => {
  const DIGITS = { name: 'mnist', splits: { train: 60_000, test: 10_000 }, classes: 10 };

  it.each([
    [
      'size: 200',
      'size: 205',
      'teacher.train.subset.size',
      '205 samples cannot be spread evenly over 10 classes',
    ],
    [
      'batchSize: 32',
      'batchSize: 256',
      'teacher.train.batchSize',
      'a batch of 256 is larger than the 200 samples there',
    ],
    [
      'optimizer: { learningRate: 0.01 }',
      'optimizer: { learningRate: 0.01 }\n  schedule: { warmUpEpochs: 5 }',
      'student.schedule.warmUpEpochs',
      'a warm-up of 5 epochs is longer than the whole training of 3',
    ],
  ])('%s as %s', (from, to, field, problem) => {
    let refused: unknown;
    try {
      parseSpec('my.yaml', GOOD.replace(from, to), { known: [DIGITS] });
    } catch (error) {
      refused = error;
    }
    const error = FidelisError.from(refused);
    expect(error.code).toBe('SPEC.INVALID');
    expect(error.message).toContain(problem);
    expect(issuesOf(error).map((issue) => issue.field)).toEqual([field]);
    expect(issuesOf(error)[0]?.line).toBeGreaterThan(1);
  });

  it('once, where two checks see it', () => {
    const error = failure(GOOD.replace('size: 200', 'size: 70000'));
    expect(issuesOf(error)).toHaveLength(1);
  });

  it('counting the samples of each class where they matter', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fidelis-spec-'));
    try {
      const file = join(directory, 'spec.yaml');
      await writeFile(file, GOOD.replace('size: 200', 'size: 60000'));
      await expect(readSpec(file, { known: [DIGITS] })).rejects.toThrow(
        'class 5 has 5421: use at most 54210',
      );
      await writeFile(file, GOOD);
      await expect(readSpec(file, { known: [DIGITS] })).resolves.toMatchObject({ spec: { name: 'small' } });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('what is no spec at all', () => {
  it.each([
    ['broken YAML', 'name: small\nstudent: {epochs: 3\n', 3],
    ['a key that is written twice', 'name: small\nname: large\n', 2],
    ['prose', 'train a student please\n', 1],
    ['a list', '- name: small\n', 1],
    ['two documents', 'name: a\n---\nname: b\n', 2],
  ])('is refused as not YAML with its line: %s', (_, text, line) => {
    const error = failure(text);
    expect(error.code).toBe('SPEC.NOT_YAML');
    expect(error.details['line']).toBe(line);
    expect(error.message).toContain(`my.yaml:${line}:`);
  });

  it('is refused if it is empty', () => {
    expect(failure('# nothing yet\n').message).toContain('my.yaml is empty');
  });

  it('is refused if there is no such file, a directory, or a file far too large', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fidelis-spec-'));
    try {
      const large = join(directory, 'large.yaml');
      await writeFile(large, Buffer.alloc(1_100_000, '#'));
      for (const [file, text] of [
        [join(directory, 'none.yaml'), 'there is no such file'],
        [directory, 'it is a directory'],
        [large, 'at most 1048576'],
      ] as const) {
        await expect(readSpec(file, KNOWN)).rejects.toMatchObject({ code: 'SPEC.UNREADABLE' });
        await expect(readSpec(file, KNOWN)).rejects.toThrow(text);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('an error of a service', () => {
  const { source } = parseSpec('my.yaml', GOOD, KNOWN);

  it('that names a field of the spec gets its line', () => {
    const located = locateServiceError(
      new FidelisError('MODEL.MISMATCH', 'no', {
        details: { issues: [{ field: 'spec.student.architecture', problem: 'lenet5 takes 28×28 images' }] },
      }),
      source,
    );
    expect(located).toMatchObject({ code: 'MODEL.MISMATCH' });
    expect((located as FidelisError).message).toContain('my.yaml:11:17  student.architecture');
  });

  it('stays as it is otherwise', () => {
    const error = new FidelisError('BUS.TIMEOUT', 'no answer');
    expect(locateServiceError(error, source)).toBe(error);
  });
});
