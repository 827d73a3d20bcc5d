import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SingleEvaluation } from '@fidelis/report';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandFixture, errorOf } from '../testing/command-fixture.js';
import { writeLabels, writeRows } from '../testing/npy-file.js';

/** Seven rows of three classes, (index − 10) / 4, as NumPy and pyarrow write them in every format. */
const FILES = fileURLToPath(new URL('../../../../libs/tables/fixtures/', import.meta.url));
const ROWS = Array.from({ length: 7 }, (_, row) => [0, 1, 2].map((column) => (3 * row + column - 10) / 4));
const LABELS = [0, 1, 2, 2, 1, 0, 1];

let fixture: CommandFixture;
let teacher: string;
let labels: string;
let expected: SingleEvaluation;

async function evaluate(student: string, labelled = labels): Promise<SingleEvaluation> {
  const args = ['--teacher', teacher, '--student', student, '--labels', labelled, '--fast', '--json'];
  const { stdout, stderr, status } = await fixture.run(['evaluate', ...args]);
  expect([stderr, status]).toEqual(['', 0]);
  return JSON.parse(stdout) as SingleEvaluation;
}

beforeAll(async () => {
  fixture = await CommandFixture.create();
  teacher = join(fixture.directory, 't.npy');
  labels = join(fixture.directory, 'y.npy');
  const student = join(fixture.directory, 's.npy');
  await writeRows(
    teacher,
    ROWS.map((row, index) => row.map((value, column) => value + (column === LABELS[index] ? 1.5 : 0))),
  );
  await writeRows(student, ROWS);
  await writeLabels(labels, LABELS);
  expected = await evaluate(student);
});

afterAll(() => fixture.dispose());

const layouts = ['c-le', 'c-be', 'fortran'].flatMap((layout) =>
  ['f2', 'f4', 'f8'].map((type) => `${layout}-${type}.npy`),
);

describe('fidelis evaluate gives the same figures from', () => {
  it.each([
    ...layouts,
    'stored.npz:logits',
    'deflated.npz:logits',
    'deflated.npz:fortran',
    'single.npz',
    'wide-none.parquet:c0,c1,c2',
    'wide-zstd.parquet:c*',
    'fixed.parquet:logits',
    'variable.parquet:logits',
    'wide-lz4.feather:c*',
    'wide.arrows:c0,c1,c2',
    'fixed.feather:logits',
    'variable.feather:logits',
  ])('a student in %s', async (student) => {
    expect(await evaluate(join(FILES, student))).toEqual(expected);
  });

  it.each(['deflated.npz:labels', 'wide-snappy.parquet:label', 'wide.arrows:label', 'fixed.feather:label'])(
    'labels in %s, beside a .npy teacher and a Parquet student',
    async (labelled) => {
      expect(await evaluate(join(FILES, 'fixed.parquet:logits'), join(FILES, labelled))).toEqual(expected);
    },
  );
});

describe('a file that holds more than what is asked for is refused with what to say', () => {
  it.each([
    ['stored.npz', /several arrays; name one of them: logits, labels, fortran/],
    ['fixed.parquet:logits,label', /lists in column "logits" and other columns.*FILE:logits/],
    ['fixed.feather', /column "name" holds neither numbers.*FILE:logit_\*/],
    ['wide-none.parquet:k*', /no column "k\*"\. Its columns are c0, c1, c2, label/],
    ['pickled.npy', /is a pickle.*not opened/],
    ['object.npy', /Python objects.*not opened/],
  ])('%s', async (student, message) => {
    const args = ['--teacher', teacher, '--student', join(FILES, student), '--json'];
    const result = await fixture.run(['evaluate', ...args]);
    expect(result.status).toBe(2);
    expect(errorOf(result)).toMatchObject({ code: 'REQUEST.INVALID' });
    expect(errorOf(result).message).toMatch(message);
  });
});
