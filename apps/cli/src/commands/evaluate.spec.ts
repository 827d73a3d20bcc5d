import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluationDocumentSchema, type SeveralEvaluation, type SingleEvaluation } from '@fidelis/report';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../exit-status.js';
import { CommandFixture, errorOf } from '../testing/command-fixture.js';
import { npyBytes, npyHeader, writeLabels, writeRows } from '../testing/npy-file.js';

const SAMPLES = 60;
const CLASSES = 3;

/** Logits that favour class i mod 3, unlike each other and wrong now and then. */
function logitsOf(phase: number): number[][] {
  return Array.from({ length: SAMPLES }, (_, i) =>
    Array.from(
      { length: CLASSES },
      (_unused, k) => (k === i % CLASSES ? 1.5 : 0) + 1.4 * Math.sin(phase + 7 * i + 3 * k),
    ),
  );
}

const TEACHER = logitsOf(0);
const STUDENT = logitsOf(0.4);
const LABELS = Array.from({ length: SAMPLES }, (_, i) => i % CLASSES);

let fixture: CommandFixture;
const at = (name: string): string => join(fixture.directory, name);

beforeEach(async () => {
  fixture = await CommandFixture.create();
  await writeRows(at('t.npy'), TEACHER);
  await writeRows(at('s.npy'), STUDENT);
  await writeLabels(at('y.npy'), LABELS);
});

afterEach(() => fixture.dispose());

/** Arguments with file names in the fixture's directory: "name=file" and "file:part" as well. */
function evaluate(...args: readonly string[]): ReturnType<CommandFixture['run']> {
  const located = args.map((arg) =>
    arg.replace(
      /(^|=)([\w-]+\.(?:npy|npz|csv|html)(?::\w+)?)$/,
      (_match, before: string, file: string) => before + at(file),
    ),
  );
  return fixture.run(['evaluate', '--resamples', '50', ...located]);
}

async function documentOf(...args: readonly string[]): Promise<unknown> {
  const { stdout, status, stderr } = await evaluate(...args, '--json');
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout);
}

const PAIR = ['--teacher', 't.npy', '--student', 's.npy'] as const;
const LABELLED = [...PAIR, '--labels', 'y.npy'] as const;

describe('fidelis evaluate', () => {
  it('prints the document with exactly the documented keys', async () => {
    const document = (await documentOf(...LABELLED)) as SingleEvaluation;
    expect(evaluationDocumentSchema.parse(document)).toEqual(document);
    expect(Object.keys(document)).toEqual([
      'n',
      'classes',
      'kind',
      'fidelity',
      'teacher',
      'student',
      'intervals',
      'bins',
      'convention',
    ]);
    expect(Object.keys(document.fidelity).sort()).toEqual([
      'agreementTeacherRight',
      'agreementTeacherWrong',
      'cohenKappa',
      'jensenShannon',
      'predictiveKl',
      'reverseKl',
      'top1Agreement',
      'top5Agreement',
      'totalVariation',
    ]);
    for (const side of [document.teacher, document.student]) {
      expect(Object.keys(side).sort()).toEqual([
        'accuracy',
        'brier',
        'classwiseEce',
        'ece',
        'eceDebiased',
        'eceEqualMass',
        'mce',
        'nll',
        'nullEce',
        'rmsce',
        'smoothEce',
        'temperature',
      ]);
    }
    expect(document).toMatchObject({
      n: SAMPLES,
      classes: CLASSES,
      kind: 'logits',
      bins: 15,
      convention: 'torchmetrics',
    });
  });

  it('has the figures that the definitions give', async () => {
    const document = (await documentOf(...LABELLED)) as SingleEvaluation;
    const argmax = (row: readonly number[]): number => row.indexOf(Math.max(...row));
    const agreed = TEACHER.filter((row, i) => argmax(row) === argmax(STUDENT[i] ?? [])).length;
    const right = STUDENT.filter((row, i) => argmax(row) === LABELS[i]).length;
    expect(document.fidelity.top1Agreement).toBe(agreed / SAMPLES);
    expect(document.student.accuracy).toBe(right / SAMPLES);
    const logSoftmax = (row: readonly number[]): number[] => {
      const total = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
      return row.map((value) => value - total);
    };
    const kl = TEACHER.reduce((sum, row, i) => {
      const s = logSoftmax(STUDENT[i] ?? []);
      return sum + logSoftmax(row).reduce((inner, t, k) => inner + Math.exp(t) * (t - (s[k] ?? 0)), 0);
    }, 0);
    expect(document.fidelity.predictiveKl).toBeCloseTo(kl / SAMPLES, 12);
  });

  it('surrounds each figure with its interval, the same for the same seed', async () => {
    const first = (await documentOf(...LABELLED)) as SingleEvaluation;
    const same = (await documentOf(...LABELLED)) as SingleEvaluation;
    const other = (await documentOf(...LABELLED, '--seed', '7')) as SingleEvaluation;
    expect(same).toEqual(first);
    expect(other.intervals).not.toEqual(first.intervals);
    const [low, high] = first.intervals['fidelity.top1Agreement'] ?? [NaN, NaN];
    expect(low).toBeLessThan(first.fidelity.top1Agreement ?? NaN);
    expect(high).toBeGreaterThan(first.fidelity.top1Agreement ?? NaN);
    expect(Object.keys(first.intervals)).toEqual(
      expect.arrayContaining([
        'teacher.accuracy',
        'student.ece',
        'student.nll',
        'fidelity.agreementTeacherWrong',
        'fidelity.cohenKappa',
        'fidelity.top5Agreement',
        'student.rmsce',
        'teacher.eceDebiased',
      ]),
    );
    for (const [path, [lo, hi]] of Object.entries(first.intervals)) {
      const [part = '', key = ''] = path.split('.');
      const figures = first[part as 'fidelity'] as Readonly<Record<string, number | null>>;
      expect(figures[key], path).toBeTypeOf('number');
      expect(lo, path).toBeLessThanOrEqual(hi);
    }
  });

  it('has percentile intervals if they are asked for, and none if none are', async () => {
    const bca = (await documentOf(...LABELLED)) as SingleEvaluation;
    const percentile = (await documentOf(...LABELLED, '--intervals', 'percentile')) as SingleEvaluation;
    const none = (await documentOf(...LABELLED, '--intervals', 'none')) as SingleEvaluation;
    expect(Object.keys(percentile.intervals)).toEqual(Object.keys(bca.intervals));
    expect(percentile.intervals).not.toEqual(bca.intervals);
    expect(none).toEqual({ ...bca, intervals: {} });
  });

  it('gives each student its interval whatever others are compared with it', async () => {
    await writeRows(at('worse.npy'), logitsOf(1.6));
    const alone = (await documentOf(...LABELLED)) as SingleEvaluation;
    const beside = (await documentOf(...LABELLED, '--student', 'worse.npy')) as SeveralEvaluation;
    expect({ ...beside.intervals, ...beside.students[0]?.intervals }).toEqual(alone.intervals);
    const tested = (await documentOf(
      ...LABELLED,
      '--student',
      'worse.npy',
      '--intervals',
      'none',
    )) as SeveralEvaluation;
    expect(tested.comparisons).toEqual(beside.comparisons);
  });

  it('has no interval of a kappa that is not defined', async () => {
    await writeRows(
      at('one.npy'),
      Array.from({ length: 4 }, () => [1, 0]),
    );
    const document = (await documentOf('--teacher', 'one.npy', '--student', 'one.npy')) as SingleEvaluation;
    expect(document.fidelity.cohenKappa).toBeNull();
    expect(document.intervals).not.toHaveProperty(['fidelity.cohenKappa']);
  });

  it('ends with 130 once it is interrupted, and leaves no report', async () => {
    const abort = new AbortController();
    const ended = fixture.run(
      [
        'evaluate',
        '--teacher',
        at('t.npy'),
        '--student',
        at('s.npy'),
        '--html',
        at('r.html'),
        '--resamples',
        '1000000',
      ],
      { interrupt: { signal: abort.signal, hurry: abort.signal } },
    );
    setTimeout(() => abort.abort(new InterruptedError('SIGINT')), 200);
    const { status, stdout, stderr } = await ended;
    expect([status, stdout, stderr]).toEqual([130, '', 'interrupted\n']);
    await expect(readFile(at('r.html'))).rejects.toThrow('ENOENT');
  });

  it('of one sample has figures and intervals of no width', async () => {
    await writeRows(at('t.npy'), TEACHER.slice(0, 1));
    await writeRows(at('s.npy'), STUDENT.slice(0, 1));
    await writeLabels(at('y.npy'), LABELS.slice(0, 1));
    const { n, student, intervals } = (await documentOf(...LABELLED)) as SingleEvaluation;
    expect(n).toBe(1);
    expect(student.nll).toBeGreaterThan(0);
    expect(intervals['student.ece']).toEqual([student.ece, student.ece]);
  });

  it('without labels has no figure that needs them', async () => {
    const document = (await documentOf(...PAIR)) as SingleEvaluation;
    expect(document.teacher).toEqual({});
    expect(document.student).toEqual({});
    expect(document.fidelity).not.toHaveProperty('agreementTeacherRight');
    expect(Object.keys(document.intervals).every((path) => path.startsWith('fidelity.'))).toBe(true);
  });

  it('--fast leaves out the intervals and what needs more than a pass, and changes nothing else', async () => {
    const { intervals, ...fast } = (await documentOf(...LABELLED, '--fast')) as SingleEvaluation;
    const { intervals: _intervals, ...whole } = (await documentOf(...LABELLED)) as SingleEvaluation;
    expect(intervals).toEqual({});
    for (const side of ['teacher', 'student'] as const) {
      for (const key of ['eceEqualMass', 'smoothEce', 'temperature'] as const) {
        expect(fast[side]).not.toHaveProperty(key);
        delete whole[side][key];
      }
    }
    expect(fast).toEqual(whole);
  });

  it('--convention, --bins and --kind reach the figures', async () => {
    const probabilities = [
      [0.5, 0.5],
      [0.75, 0.25],
    ];
    await writeRows(at('p.npy'), probabilities);
    await writeLabels(at('two.npy'), [0, 1]);
    const args = [
      '--teacher',
      'p.npy',
      '--student',
      'p.npy',
      '--labels',
      'two.npy',
      '--kind',
      'probs',
      '--bins',
      '2',
      '--fast',
    ];
    const ece = async (convention: string): Promise<unknown> =>
      ((await documentOf(...args, '--convention', convention)) as SingleEvaluation).student.ece;
    // Together in the upper bin: |1 − 1.25| / 2. Apart: (|1 − 0.5| + |0 − 0.75|) / 2.
    expect(await ece('torchmetrics')).toBe(0.125);
    expect(await ece('gnosis')).toBe(0.625);
  });

  it('writes null for a divergence that is infinite', async () => {
    await writeRows(at('sure.npy'), [
      [1, 0],
      [0.5, 0.5],
    ]);
    await writeRows(at('unsure.npy'), [
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    const args = ['--teacher', 'unsure.npy', '--student', 'sure.npy', '--kind', 'probs'];
    const document = (await documentOf(...args)) as SingleEvaluation;
    expect(document.fidelity.predictiveKl).toBeNull();
    expect(document.fidelity.reverseKl).toBeCloseTo(Math.LN2 / 2, 12);
    expect(document.intervals).not.toHaveProperty(['fidelity.predictiveKl']);
    expect(document.intervals).toHaveProperty(['fidelity.reverseKl']);
  });

  it('compares several students in pairs, corrected together', async () => {
    await writeRows(at('worse.npy'), logitsOf(1.6));
    const args = [
      '--teacher',
      't.npy',
      '--student',
      'good=s.npy',
      '--student',
      'worse.npy',
      '--labels',
      'y.npy',
    ];
    const document = (await documentOf(...args)) as SeveralEvaluation;
    expect(evaluationDocumentSchema.parse(document)).toEqual(document);
    expect(document.students.map(({ name }) => name)).toEqual(['good', 'worse']);
    expect(document.comparisons.map(({ on, test }) => [on, test])).toEqual([
      ['agreement', 'mcnemar'],
      ['correctness', 'mcnemar'],
      ['predictiveKl', 'permutation'],
    ]);
    const [good, worse] = document.students;
    const [agreement, , kl] = document.comparisons;
    expect(agreement?.difference).toBeCloseTo(
      (good?.fidelity.top1Agreement ?? NaN) - (worse?.fidelity.top1Agreement ?? NaN),
      12,
    );
    expect(kl?.difference).toBeCloseTo(
      (good?.fidelity.predictiveKl ?? NaN) - (worse?.fidelity.predictiveKl ?? NaN),
      12,
    );
    for (const { pValue, pValueHolm } of document.comparisons)
      expect(pValueHolm).toBeGreaterThanOrEqual(pValue);
    expect(Object.keys(document.intervals).every((path) => path.startsWith('teacher.'))).toBe(true);
  });

  it('reads labels from a column of a CSV', async () => {
    await writeFile(at('y.csv'), `id,label\n${LABELS.map((label, i) => `${i},${label}`).join('\n')}\n`);
    const fromCsv = await documentOf(...PAIR, '--labels', 'y.csv:label', '--fast');
    expect(fromCsv).toEqual(await documentOf(...LABELLED, '--fast'));
  });

  it('for people is a table and bars', async () => {
    const { stdout, status } = await evaluate(...LABELLED);
    expect(status).toBe(0);
    expect(stdout).toMatch(/top-1 agreement +\d+\.\d\d % +\d+\.\d\d–\d+\.\d\d/);
    expect(stdout).toMatch(/ECE +0\.\d{4}/);
    expect(stdout).toMatch(/0\.\d{3} – \d\.\d{3} +▕█.*▏ +\d+\.\d % /);
    expect(stdout).toContain('BCa bootstrap over the samples, 50 resamples, seed 0');
    for (const line of stdout.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(80);
  });

  it('--html writes one file that needs no network, beside the result', async () => {
    const document = (await evaluate(...LABELLED, '--html', 'report.html', '--json')).stdout;
    expect(JSON.parse(document)).toMatchObject({ n: SAMPLES });
    const report = await readFile(at('report.html'), 'utf8');
    expect(report).toContain('<svg');
    expect(report).toContain('prefers-color-scheme: dark');
    expect(report.replaceAll('http://www.w3.org/', '')).not.toMatch(
      /https?:|<script|<link|src=|@import|url\(/,
    );
  });
});

describe('bad input ends with 2 and says what, where and how to mend it', () => {
  async function refused(args: readonly string[], ...hints: readonly (string | RegExp)[]): Promise<void> {
    const result = await evaluate(...args, '--json');
    expect(result.status).toBe(2);
    const { code, message } = errorOf(result);
    expect(code).toBe('REQUEST.INVALID');
    for (const hint of hints) expect(message).toMatch(hint);
  }

  const against = (student: string): string[] => ['--teacher', 't.npy', '--student', student];

  it('a file that is not there', () => refused(against('none.npy'), /none\.npy: there is no such file/));

  it('different numbers of samples', async () => {
    await writeRows(at('short.npy'), STUDENT.slice(1));
    await refused(against('short.npy'), /short\.npy: has 59 samples, but the teacher's .*t\.npy has 60/);
  });

  it('different numbers of classes', async () => {
    await writeRows(
      at('wide.npy'),
      STUDENT.map((row) => [...row, 0]),
    );
    await refused(against('wide.npy'), /wide\.npy: has 4 classes, but the teacher's .*t\.npy has 3/);
  });

  it('no samples', async () => {
    await writeFile(at('empty.npy'), npyBytes(new Float64Array(0), [0, 3]));
    await refused(['--teacher', 'empty.npy', '--student', 'empty.npy'], /no samples/);
  });

  it('one column where classes belong', () =>
    refused(['--teacher', 'y.npy', '--student', 'y.npy'], /one column per class/));

  it.each([
    ['NaN', NaN],
    ['Infinity', Infinity],
  ])('%s, at its row and column', async (name, value) => {
    await writeRows(
      at('bad.npy'),
      STUDENT.map((row, i) => (i === 41 ? [0, value, 0] : row)),
    );
    await refused(against('bad.npy'), 'bad.npy', `row 41, column 1 is ${name}`, /leave the row out/);
  });

  it('a bad value beyond the first piece of the file, with its row in the file', async () => {
    const rows = 400_000;
    const values = new Float32Array(rows * CLASSES);
    await writeFile(at('long.npy'), npyBytes(values, [rows, CLASSES]));
    values[380_000 * CLASSES + 2] = NaN;
    await writeFile(at('bad.npy'), npyBytes(values, [rows, CLASSES]));
    await refused(
      ['--teacher', 'long.npy', '--student', 'bad.npy', '--fast'],
      /bad\.npy: row 380000, column 2 is NaN/,
    );
    await refused(
      ['--teacher', 'bad.npy', '--student', 'long.npy', '--fast'],
      /bad\.npy: row 380000, column 2 is NaN/,
    );
  });

  it('probabilities that do not sum to 1', async () => {
    await writeRows(at('p.npy'), [
      [0.5, 0.5],
      [0.5, 0.4],
    ]);
    const args = ['--teacher', 'p.npy', '--student', 'p.npy', '--kind', 'probs'];
    await refused(args, /p\.npy: the probabilities of row 1 sum to 0\.9/, /--kind logits/);
  });

  it('a label out of range', async () => {
    await writeLabels(
      at('bad-y.npy'),
      LABELS.map((label, i) => (i === 5 ? 3 : label)),
    );
    await refused([...PAIR, '--labels', 'bad-y.npy'], /bad-y\.npy: row 5 .*3 is no label.*from 0 to 2/);
  });

  it('labels for other samples', async () => {
    await writeLabels(at('few.npy'), LABELS.slice(0, 10));
    await refused([...PAIR, '--labels', 'few.npy'], /few\.npy: has 10 labels, but .* has 60 samples/);
  });

  it('a truncated .npy', async () => {
    await truncate(at('s.npy'), 300);
    await refused(against('s.npy'), /s\.npy: is truncated/);
  });

  it('an array of objects, which is never unpickled', async () => {
    await writeFile(at('objects.npy'), Buffer.concat([npyHeader('|O', [60, 3]), Buffer.from('\x80\x04.')]));
    await refused(against('objects.npy'), /objects\.npy: holds Python objects/, /can run code/);
  });

  it('a pickle under the name of an array', async () => {
    await writeFile(at('pickle.npy'), Buffer.from([0x80, 0x04, 0x95, 0x2e]));
    await refused(against('pickle.npy'), /pickle\.npy: is a pickle/);
  });

  it('a CSV without the column that is asked for', async () => {
    await writeFile(at('y.csv'), 'id,label\n0,1\n');
    await refused([...PAIR, '--labels', 'y.csv:target'], /y\.csv/, /target/);
  });

  it('a CSV row that lacks a column', async () => {
    await writeFile(at('s.csv'), 'a,b,c\n1,2,3\n1,2\n');
    await refused(against('s.csv'), /s\.csv/);
  });

  it('two students of one name', async () => {
    const result = await evaluate(...PAIR, '--student', 's.npy', '--json');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('--student name=file');
  });

  it('a report in a folder that is not there, before any work', () =>
    refused([...LABELLED, '--html', 'none/report.html'], /--html none\/report\.html: the folder none/));
});
