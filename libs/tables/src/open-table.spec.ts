import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openTable, readLabels, type Table, type TableOptions } from './index.js';

const MATRIX = Array.from({ length: 21 }, (_, index) => (index - 10) / 4);
const WHOLE = Array.from({ length: 21 }, (_, index) => index);
const LABELS = [0, 1, 2, 2, 1, 0, 1];
const CLASSES = { columns: ['c0', 'c1', 'c2'] };

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

async function numbersOf(table: Table, rowsPerChunk: number): Promise<number[]> {
  const numbers: number[] = [];
  for await (const chunk of table.chunks(rowsPerChunk)) numbers.push(...chunk);
  return numbers;
}

async function expectMatrix(name: string, options: TableOptions, expected = MATRIX): Promise<Table> {
  const table = await openTable(fixture(name), options);
  expect([table.rows, table.columns]).toEqual([7, 3]);
  for (const height of [1, 2, 3, 7, 100]) expect(await numbersOf(table, height)).toEqual(expected);
  return table;
}

describe('a .npy file of NumPy', () => {
  const floats = ['c-le', 'c-be', 'fortran'].flatMap((layout) =>
    ['f2', 'f4', 'f8'].map((type) => [layout, type] as const),
  );

  it.each(floats)('%s %s', async (layout, type) => {
    const { dtype } = await expectMatrix(`${layout}-${type}.npy`, {});
    expect(dtype).toBe(`float${Number(type.slice(1)) * 8}`);
  });

  it.each(['i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'be-i8'])('whole numbers %s', async (type) => {
    await expectMatrix(`whole-${type}.npy`, {}, WHOLE);
  });

  it.each([2, 3])('of format version %d', async (version) => {
    await expectMatrix(`version-${version}.npy`, {});
  });

  it('comes in chunks of the height that is asked for, in the precision of the file', async () => {
    const single: unknown[] = [];
    for await (const chunk of (await openTable(fixture('c-le-f2.npy'))).chunks(3)) single.push(chunk);
    expect(single.map((chunk) => (chunk as Float32Array).length)).toEqual([9, 9, 3]);
    expect(single[0]).toBeInstanceOf(Float32Array);
    for await (const chunk of (await openTable(fixture('whole-i1.npy'))).chunks(7)) {
      expect(chunk).toBeInstanceOf(Float64Array);
    }
  });

  it('has one column if it has one dimension', async () => {
    expect(await openTable(fixture('vector.npy'))).toMatchObject({ rows: 7, columns: 1, dtype: 'int64' });
  });
});

describe('a .npz file of NumPy', () => {
  it.each(['stored.npz', 'deflated.npz'])('%s, by member', async (name) => {
    await expectMatrix(name, { member: 'logits' });
    await expectMatrix(name, { member: 'logits.npy' });
    await expectMatrix(name, { member: 'fortran' });
    expect([...(await readLabels(fixture(name), { member: 'labels' }))]).toEqual(LABELS);
  });

  it('needs no name of its only member', async () => {
    await expectMatrix('single.npz', {});
  });
});

describe('a Parquet file of pyarrow', () => {
  it.each(['none', 'snappy', 'gzip', 'zstd', 'lz4', 'brotli'])('a column per class, %s', async (codec) => {
    const { dtype } = await expectMatrix(`wide-${codec}.parquet`, CLASSES);
    expect(dtype).toBe('float32');
  });

  it.each(['fixed.parquet', 'variable.parquet'])('a list per row: %s', async (name) => {
    await expectMatrix(name, { column: 'logits' });
  });

  it('halves', async () => {
    const table = await openTable(fixture('half.parquet'));
    expect(table).toMatchObject({ rows: 7, columns: 2, dtype: 'float16' });
    expect((await numbersOf(table, 7)).slice(0, 3)).toEqual([-2.5, -2.25, -1.75]);
  });

  it.each(['wide-snappy.parquet', 'fixed.parquet'])('labels of %s', async (name) => {
    expect([...(await readLabels(fixture(name), { column: 'label' }))]).toEqual(LABELS);
  });
});

describe('an Arrow file of pyarrow', () => {
  it.each(['wide-uncompressed.feather', 'wide-lz4.feather', 'wide-zstd.feather', 'wide.arrows'])(
    'a column per class: %s',
    async (name) => {
      await expectMatrix(name, CLASSES);
      expect([...(await readLabels(fixture(name), { column: 'label' }))]).toEqual(LABELS);
    },
  );

  it.each(['fixed.feather', 'variable.feather'])('a list per row: %s', async (name) => {
    await expectMatrix(name, { column: 'logits' });
  });

  it('halves', async () => {
    const table = await openTable(fixture('half.feather'));
    expect(table).toMatchObject({ rows: 7, columns: 2, dtype: 'float16' });
    expect((await numbersOf(table, 7)).slice(0, 3)).toEqual([-2.5, -2.25, -1.75]);
  });

  it('in several blocks of LZ4 that refer to each other', async () => {
    const table = await openTable(fixture('long-lz4.feather'));
    const expected = Array.from({ length: 60_000 }, (_, index) => (index % 977 === 0 ? 7 : index % 251));
    expect(await numbersOf(table, 60_000)).toEqual(expected);
  });
});

describe('a file that is refused', () => {
  it.each<[string, TableOptions, RegExp]>([
    ['object.npy', {}, /object.*not opened.*Convert/],
    ['pickled.npy', {}, /pickle.*not opened.*numpy\.save/],
    ['complex.npy', {}, /type "<c8".*astype/],
    ['records.npy', {}, /named fields/],
    ['cube.npy', {}, /shape \(2, 3, 4\).*Reshape/],
    ['c-le-f4.npy', { column: 'a' }, /no named columns/],
    ['c-le-f4.npy', { member: 'a' }, /no members/],
    ['stored.npz', {}, /several arrays.*logits, labels, fortran/],
    ['stored.npz', { member: 'logit' }, /no array "logit"; it has logits, labels, fortran/],
    ['wide-none.parquet', { column: 'c9' }, /no column "c9".*c0, c1, c2, label/],
    ['fixed.parquet', {}, /column "name" holds neither/],
    ['fixed.parquet', { columns: ['logits', 'label'] }, /lists in column "logits" .*FILE:logits/],
    ['fixed.feather', {}, /column "name" holds neither/],
    ['wide-lz4.feather', { columns: ['c0', 'c9'] }, /no column "c9"/],
    ['nowhere.npy', {}, /no such file/],
    ['', {}, /directory/],
    ['fixtures.py', {}, /no known format/],
  ])('%s %o', async (name, options, message) => {
    const error: unknown = await openTable(fixture(name), options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'REQUEST.INVALID' });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(fixture(name));
  });

  it.each([
    ['nulls.parquet', /row 1 .*column c0: there is no value/],
    ['nulls.feather', /row 1 .*column c0: there is no value/],
    ['ragged.parquet', /row 1 .*the list has 1 numbers where the first row has 2/],
    ['ragged.feather', /row 1 .*the list has 1 numbers where the first row has 2/],
  ])('%s, while it is read', async (name, message) => {
    await expect(numbersOf(await openTable(fixture(name)), 10)).rejects.toThrow(message);
  });

  it('has labels that are no labels, with the row', async () => {
    await expect(readLabels(fixture('vector.npy'), { classes: 2 })).rejects.toThrow(
      /row 2 .*: 2 is no label.*0 to 1/,
    );
    await expect(readLabels(fixture('c-le-f4.npy'))).rejects.toThrow(
      /3 columns where labels are one per row/,
    );
    await expect(readLabels(fixture('wide-none.parquet'), { column: 'c0' })).rejects.toThrow(
      /row 0 .*-2\.5 is no label/,
    );
  });
});
