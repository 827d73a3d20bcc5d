import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTable, readLabels, type TableOptions } from './index.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fidelis-tables-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

async function numbers(path: string, options: TableOptions = {}, height = 4): Promise<number[]> {
  const values: number[] = [];
  for await (const chunk of (await openTable(path, options)).chunks(height)) values.push(...chunk);
  return values;
}

function npy(descr: string, shape: string, data: Uint8Array, fortran = false): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${shape}), }\n`;
  const head = Buffer.from(`\x93NUMPY\x01\x00..${text}`, 'latin1');
  head.writeUInt16LE(text.length, 8);
  return Buffer.concat([head, data]);
}

function bytesOf(values: Float64Array | BigInt64Array): Uint8Array {
  return new Uint8Array(values.buffer);
}

describe('a CSV file', () => {
  it('is read by its header, with quotes, spaces, empty lines, either end of line and a byte order mark', async () => {
    const path = await write('a.csv', '\ufeffid,"a, b", c\r\nx,"1", 2.5\r\n\r\ny,-3e2,.5');
    expect(await openTable(path, { columns: ['a, b', 'c'] })).toMatchObject({
      rows: 2,
      columns: 2,
      dtype: 'float64',
    });
    expect(await numbers(path, { columns: ['c', 'a, b'] })).toEqual([2.5, 1, 0.5, -300]);
  });

  it('has special numbers, and the names that pandas gives columns without names', async () => {
    const path = await write('b.csv', '0,1,2\nnan,-inf,Infinity\n');
    expect(await numbers(path)).toEqual([NaN, -Infinity, Infinity]);
  });

  it('is separated by tabs if its name says so', async () => {
    expect(await numbers(await write('c.tsv', 'a\tb\n1\t2\n'))).toEqual([1, 2]);
  });

  it('counts a line within quotes as part of its row', async () => {
    const path = await write('d.csv', 'name,label\n"two\nlines",1\n"and a ""quote""",2\n');
    expect([...(await readLabels(path, { column: 'label' }))]).toEqual([1, 2]);
  });

  it('has no rows if it has only a header', async () => {
    expect(await openTable(await write('e.csv', 'a,b\n'))).toMatchObject({ rows: 0, columns: 2 });
  });

  it('is read in blocks without a seam', async () => {
    const values = Array.from({ length: 5000 }, (_, index) => index / 8);
    const path = await write('f.csv', `a,b\n${values.map((value) => `${value},${1 - value}`).join('\n')}\n`);
    expect(await numbers(path, { column: 'b' }, 999)).toEqual(values.map((value) => 1 - value));
  });

  it.each<[string, string, TableOptions, RegExp]>([
    ['a missing column', 'a,b\n1,2\n', { column: 'c' }, /no column "c"\. Its columns are a, b/],
    [
      'a cell that is no number',
      'a,b\n1,2\n3,x\n',
      {},
      /line 3 \(row 1 from 0\), column "b": "x" is no number/,
    ],
    ['an empty cell', 'a,b\n1,\n', {}, /line 2 .*column "b": "" is no number/],
    ['hexadecimal', 'a\n0x10\n', {}, /"0x10" is no number/],
    ['a short line', 'a,b\n1,2\n3\n', {}, /line 3 \(row 1 from 0\) has 1 cells where the header has 2/],
    ['no header', '0.5,1.5\n1,2\n', {}, /numbers in its first line/],
    ['two columns of one name', 'a,a\n1,2\n', {}, /two columns named "a"/],
    ['a quote that never ends', 'a\n"1\n2\n', {}, /CSV file: .*[Qq]uote/],
    ['nothing', '', {}, /empty/],
  ])('is refused with %s', async (_, content, options, message) => {
    const path = await write('refused.csv', content);
    await expect(numbers(path, options)).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
    await expect(numbers(path, options)).rejects.toThrow(message);
  });
});

describe('a .npy file', () => {
  it('gives the same numbers in either order and any chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 50 }),
        async (rows, columns, height) => {
          const values = Float64Array.from({ length: rows * columns }, (_, index) => index);
          const turned = values.map((_, index) => (index % rows) * columns + Math.floor(index / rows));
          const shape = `${rows}, ${columns}`;
          const straight = await write('straight.npy', npy('<f8', shape, bytesOf(values)));
          const fortran = await write('fortran.npy', npy('<f8', shape, bytesOf(turned), true));
          expect(await numbers(straight, {}, height)).toEqual([...values]);
          expect(await numbers(fortran, {}, height)).toEqual([...values]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('may have no rows', async () => {
    const path = await write('none.npy', npy('<f8', '0, 5', new Uint8Array(0)));
    expect(await openTable(path)).toMatchObject({ rows: 0, columns: 5 });
    expect(await numbers(path)).toEqual([]);
  });

  it('is refused if it is truncated, with the bytes there are and should be', async () => {
    const content = npy('<f8', '2, 3', new Uint8Array(47));
    const path = await write('short.npy', content);
    await expect(openTable(path)).rejects.toThrow(
      `is truncated: 2 × 3 float64 need ${content.length + 1} bytes, and there are ${content.length}`,
    );
  });

  it('is refused if it is truncated while it is read', async () => {
    const path = await write('shrinks.npy', npy('<f8', '2, 3', new Uint8Array(48)));
    const table = await openTable(path);
    await truncate(path, 100);
    await expect(table.chunks(1)[Symbol.asyncIterator]().next()).rejects.toThrow(/ends after 100 bytes/);
  });

  it.each([
    [
      'whose header is cut',
      Buffer.from('\x93NUMPY\x01\x00\xff\x00{', 'latin1'),
      /header alone should end at byte 265/,
    ],
    ['of a later version', Buffer.from('\x93NUMPY\x09\x00\x00\x00....', 'latin1'), /version 9/],
    ['that is something else', Buffer.from('hello, hello, hello'), /no \.npy file/],
    ['without columns', Buffer.from(npy('<f8', '3, 0', new Uint8Array(0))), /without columns/],
    ['of no dimension', Buffer.from(npy('<f8', '', new Uint8Array(8))), /shape \(\)/],
  ])('is refused %s', async (_, content, message) => {
    await expect(openTable(await write('refused.npy', content))).rejects.toThrow(message);
  });

  it('is refused where an integer is beyond what a float64 holds', async () => {
    const path = await write('large.npy', npy('<i8', '2', bytesOf(BigInt64Array.of(1n, 2n ** 53n))));
    await expect(numbers(path)).rejects.toThrow(/9007199254740992 is beyond/);
  });

  it('is refused in chunks of no rows', async () => {
    const path = await write('whole.npy', npy('<f8', '1, 1', new Uint8Array(8)));
    await expect(numbers(path, {}, 0)).rejects.toThrow(/above 0, not 0/);
  });
});

describe('a damaged file', () => {
  it.each(['wide-zstd.parquet', 'wide-zstd.feather', 'deflated.npz'])(
    '%s is refused while it is read',
    async (name) => {
      const content = await readFile(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)));
      const mark = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
      const compressed = name.endsWith('npz') ? content.indexOf('logits.npy') + 30 : content.indexOf(mark);
      expect(compressed).toBeGreaterThan(0);
      content.fill(0xff, compressed, compressed + 12);
      const path = await write(`damaged-${name}`, content);
      const options = name.endsWith('npz') ? { member: 'logits' } : { columns: ['c0'] };
      await expect(numbers(path, options)).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
    },
  );
});

describe('a truncated file', () => {
  const sources = ['wide-snappy.parquet', 'wide-lz4.feather', 'wide.arrows', 'deflated.npz'];

  it.each(sources)('%s is refused as bad input wherever it ends', async (name) => {
    const whole = await readFile(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)));
    const options = name.endsWith('npz') ? { member: 'logits' } : { columns: ['c0'] };
    for (const share of [0.1, 0.3, 0.6, 0.8]) {
      const path = await write(`cut-${name}`, whole.subarray(0, Math.floor(whole.length * share)));
      await expect(numbers(path, options), `${share}`).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
    }
  });
});
