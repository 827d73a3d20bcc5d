import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  RecordBatchFileWriter,
  tableFromIPC,
  Table,
  vectorFromArray,
  Int32,
  Uint32,
  Utf8,
  type Vector,
} from 'apache-arrow';
import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { ArchiveManifest } from './archive-manifest.js';
import { all, each, testStream } from './archived-stream.fixture.js';
import { openArchive, requireDatasets, verifyArchive, writeArchive } from './index.js';
import { RowBuffer, type RowRun } from './row-buffer.js';
import { shardSchema, shardShape, type ShardShape } from './shard-columns.js';
import { ShardWriter } from './shard-writer.js';

const stream = testStream({ steps: 12 });
let parent: string;
let sound: string;
let home: string;

beforeAll(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'fidelis-archive-'));
  sound = path.join(parent, 'sound');
  // A shard for each epoch, of steps of 16, 16, 16 and 2 rows.
  await writeArchive(sound, stream.header, each(stream.frames), stream.samplesOf, { shardBytes: 8_000 });
});

afterAll(() => rm(parent, { recursive: true, force: true }));

beforeEach(async () => {
  home = path.join(parent, 'changed');
  await cp(sound, home, { recursive: true });
});

afterEach(() => rm(home, { recursive: true, force: true }));

const FIRST = 'shard-00000.arrow';

async function manifest(): Promise<ArchiveManifest> {
  return JSON.parse(await readFile(path.join(home, 'manifest.json'), 'utf8')) as ArchiveManifest;
}

async function rewrite(change: (manifest: ArchiveManifest) => unknown): Promise<void> {
  await writeFile(path.join(home, 'manifest.json'), JSON.stringify(change(await manifest())));
}

/** A manifest that stands by what the first shard is now. */
async function vouch(): Promise<void> {
  const content = await readFile(path.join(home, FIRST));
  const sha256 = createHash('sha256').update(content).digest('hex');
  await rewrite((old) => ({
    ...old,
    shards: old.shards.map((shard, index) =>
      index === 0 ? { ...shard, bytes: content.length, sha256 } : shard,
    ),
  }));
}

/** The rows of the first shard, as they should be. */
async function runs(): Promise<RowRun[]> {
  const { shards } = await manifest();
  const steps = await all((await openArchive(home)).steps());
  return steps.slice(0, shards[0]?.steps).map((step) => ({ ...step, firstRow: 0 }));
}

/** Another first shard, that the manifest stands by. */
async function forge(rows: readonly RowRun[], shape: ShardShape = shardShape(stream.header)): Promise<void> {
  await rm(path.join(home, FIRST));
  const schema = shardSchema(shape);
  const writer = await ShardWriter.create(home, FIRST, 0, schema, new RowBuffer(schema, shape));
  for (const run of rows) await writer.add(run);
  await writer.finish(rows.length);
  await vouch();
}

async function forgeColumns(
  change: (columns: Record<string, Vector>) => Record<string, Vector>,
): Promise<void> {
  const table = tableFromIPC(await readFile(path.join(home, FIRST)));
  const columns = Object.fromEntries(
    table.schema.names.map((name) => [String(name), table.getChild(name) as Vector]),
  );
  const writer = RecordBatchFileWriter.writeAll(new Table(change(columns)));
  await writeFile(path.join(home, FIRST), await writer.toUint8Array());
  await vouch();
}

async function refusal(code = 'ARCHIVE.INVALID'): Promise<string> {
  const error = await verifyArchive(home).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code });
  const { message } = error as Error;
  // Which file, and what to do.
  expect(message).toContain(home);
  expect(message).toMatch(/\. [A-Z]\w+ .+$/);
  return message;
}

it('an archive that nobody touched is sound, whole and in its copy', async () => {
  expect(await verifyArchive(home)).toEqual(await verifyArchive(sound));
  expect((await manifest()).shards.map(({ rows }) => rows)).toEqual([50, 50, 50]);
  await forge(await runs());
  expect(await verifyArchive(home)).toMatchObject({ steps: 12, rows: 150 });
});

describe('files that are not those of the manifest', () => {
  it('a shard that is missing', async () => {
    await rm(path.join(home, 'shard-00001.arrow'));
    await expect(openArchive(home)).rejects.toThrow(
      /shard-00001\.arrow: the manifest lists it, and it is missing/,
    );
    await refusal();
  });

  it('a shard too many', async () => {
    await cp(path.join(home, FIRST), path.join(home, 'shard-00009.arrow'));
    expect(await refusal()).toMatch(/shard-00009\.arrow: the manifest does not list this shard/);
  });

  it('a shard that is truncated', async () => {
    await truncate(path.join(home, FIRST), 1_000);
    expect(await refusal()).toMatch(/has 1000 bytes, and the manifest says \d+/);
  });

  it('a shard with one bit changed, before any frame of it is given out', async () => {
    const content = await readFile(path.join(home, FIRST));
    content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
    await writeFile(path.join(home, FIRST), content);
    expect(await refusal()).toMatch(/its sha-256 is [0-9a-f]{64}, and the manifest says/);
    const frames = (await openArchive(home)).frames()[Symbol.asyncIterator]();
    await expect(frames.next()).rejects.toMatchObject({ code: 'ARCHIVE.INVALID' });
  });

  it('two shards in each other’s place', async () => {
    const [a, b, c] = [FIRST, 'shard-00001.arrow', 'x'].map((name) => path.join(home, name)) as [
      string,
      string,
      string,
    ];
    for (const [from, to] of [
      [a, c],
      [b, a],
      [c, b],
    ] as const)
      await rename(from, to);
    await refusal();
  });

  it('no manifest, as an export that was killed leaves', async () => {
    await rm(path.join(home, 'manifest.json'));
    expect(await refusal()).toMatch(/manifest\.json: there is no such file/);
  });
});

describe('a manifest', () => {
  const shardsOf = (old: ArchiveManifest, change: object): object => ({
    ...old,
    shards: old.shards.map((shard, index) => (index === 1 ? { ...shard, ...change } : shard)),
  });

  it.each<[string, (old: ArchiveManifest) => unknown, RegExp]>([
    ['of another format', (old) => ({ ...old, format: 'x' }), /its "format" is "x"/],
    ['that is no object', () => null, /its "format" is undefined/],
    ['with an unknown field', (old) => ({ ...old, extra: 1 }), /extra/],
    ['without a field', ({ codec: _, ...old }) => old, /codec/],
    [
      'with a name that leaves the directory',
      (old) => shardsOf(old, { file: '../shard-00001.arrow' }),
      /shards\.1\.file/,
    ],
    [
      'whose key is another teacher’s',
      (old) => ({ ...old, teacherDigest: 'ee'.repeat(32) }),
      /is not the key of this teacher/,
    ],
    ['whose view is another', (old) => ({ ...old, view: { ...old.view, seed: 8 } }), /is not the key/],
    [
      'whose dataset is not the view’s',
      (old) => ({ ...old, dataset: { ...old.dataset, name: 'other' } }),
      /dataset: other/,
    ],
    ['whose kind is not the view’s', (old) => ({ ...old, kind: 'table' }), /kind: is table/],
    [
      'whose samples have gaps',
      (old) => ({ ...old, samples: old.samples.map((source) => ({ ...source, firstId: 3 })) }),
      /samples\.0\.firstId/,
    ],
    [
      'that lacks a shard in between',
      (old) => ({ ...old, shards: old.shards.filter((_, index) => index !== 1) }),
      /contiguous/,
    ],
    ['whose steps are not those of its shards', (old) => ({ ...old, steps: 5 }), /steps: is 5/],
    [
      'whose rows are not those of its shards',
      (old) => ({ ...old, rows: 99 }),
      /rows: is 99, and the shards have 150/,
    ],
    [
      'with a shard of other rows than its steps have',
      (old) => shardsOf(old, { rows: 7 }),
      /is said to have 7 rows/,
    ],
  ])('%s', async (_, change, message) => {
    await rewrite(change);
    expect(await refusal()).toMatch(message);
  });

  it('that is no JSON', async () => {
    await truncate(path.join(home, 'manifest.json'), 100);
    expect(await refusal()).toMatch(/is no JSON/);
  });

  it('of a later version says so, whatever else is in it', async () => {
    await rewrite(() => ({ format: 'fidelis-logit-stream', version: 2, shape: 'new' }));
    expect(await refusal('ARCHIVE.UNSUPPORTED')).toMatch(/version 2 is not 1, the one known here/);
  });
});

describe('rows', () => {
  const changedRun = async (index: number, change: Partial<RowRun>): Promise<RowRun[]> =>
    (await runs()).map((run, at) => (at === index ? { ...run, ...change } : run));

  it('of a step that is missing', async () => {
    await forge((await runs()).filter(({ step }) => step !== 1));
    expect(await refusal()).toMatch(/is row 0 of step 2, and row 0 of step 1 belongs there/);
  });

  it('that are missing at the end', async () => {
    await forge((await runs()).slice(0, -1));
    expect(await refusal()).toMatch(/ends before row 0 of step \d/);
  });

  it('that are too many', async () => {
    const rows = await runs();
    await forge([...rows, { ...(rows[0] as RowRun), step: rows.length }]);
    expect(await refusal()).toMatch(/has more rows than/);
  });

  it('in another order', async () => {
    await forge(await changedRun(0, { firstRow: 1 }));
    expect(await refusal()).toMatch(/row 0 is row 1 of step 0/);
  });

  it('of samples that do not exist', async () => {
    await forge(await changedRun(1, { ids: new Uint32Array(16).fill(50) }));
    expect(await refusal()).toMatch(/step 1, row 0: there is no sample 50 in splits of 50/);
  });

  it('with a logit that is not a number', async () => {
    const values = new Float32Array(96);
    values[20] = NaN;
    await forge(await changedRun(1, { values }));
    expect(await refusal()).toMatch(/step 1, row 3 has a logit that is not a number/);
  });

  it('with a digest that is none', async () => {
    await forge(await changedRun(0, { inputDigest: 'not-hexadecimal!' }));
    expect(await refusal()).toMatch(/input_digest "not-hexadecimal!" has not 16/);
  });

  it('of one step with two digests', async () => {
    const [first, ...rest] = (await runs()) as [RowRun, ...RowRun[]];
    const [head, tail] = [
      [0, 9],
      [9, 16],
    ].map(([from, to]) => ({
      ...first,
      firstRow: from ?? 0,
      ids: first.ids.slice(from, to),
      values: first.values.slice((from ?? 0) * 6, (to ?? 0) * 6),
    })) as [RowRun, RowRun];
    await forge([head, { ...tail, inputDigest: '0'.repeat(16) }, ...rest]);
    expect(await refusal()).toMatch(/step 0, row 9 has another input_digest than row 0/);
  });
});

describe('columns', () => {
  const numbers = (column: Vector | undefined): number[] => [...(column ?? [])] as number[];

  it('of logits in another precision', async () => {
    await forge(await runs(), { ...shardShape(stream.header), codec: 'f32' });
    expect(await refusal()).toMatch(
      /column "logits" is FixedSizeList\[6\]<Float32>, not fixed_size_list<float16>\[6\]/,
    );
  });

  it('of logits for another number of classes', async () => {
    const rows = (await runs()).map((run) => ({ ...run, values: run.values.slice(0, run.ids.length * 5) }));
    await forge(rows, { ...shardShape(stream.header), width: 5 });
    expect(await refusal()).toMatch(/column "logits" is FixedSizeList\[5\]/);
  });

  it('of partners in a stream without', async () => {
    const rows = (await runs()).map((run) => ({
      ...run,
      mixing: { partners: run.ids, weights: new Float32Array(run.ids.length) },
    }));
    await forge(rows, { ...shardShape(stream.header), mixing: true });
    expect(await refusal()).toMatch(/has a column "partner_id" that no shard of this stream has/);
  });

  it('of another type', async () => {
    await forgeColumns((columns) => ({
      ...columns,
      step: vectorFromArray(numbers(columns['step']), new Int32()),
    }));
    expect(await refusal()).toMatch(/column "step" is Int32, not uint32/);
  });

  it('that are missing', async () => {
    await forgeColumns(({ input_digest: _, ...columns }) => columns);
    expect(await refusal()).toMatch(/has no column "input_digest" \(string\)/);
  });

  it.each([
    ['sample_id', new Uint32()],
    ['input_digest', new Utf8()],
  ])('with missing values: %s', async (name, type) => {
    await forgeColumns((columns) => ({
      ...columns,
      [name]: vectorFromArray(
        [...(columns[name] as Vector)].map((value, index) =>
          index === 5 ? null : (value as number | string),
        ),
        type,
      ),
    }));
    expect(await refusal()).toMatch(new RegExp(`column "${name}" has missing values`));
  });

  it('in no Arrow file', async () => {
    await writeFile(path.join(home, FIRST), 'step,row,sample_id\n'.repeat(100));
    await vouch();
    expect(await refusal()).toMatch(/cannot be read as an Arrow IPC file/);
  });
});

describe('the dataset', () => {
  const { dataset } = stream.header.view;

  it('has to be that of the logits, byte by byte', async () => {
    const archive = await openArchive(home);
    expect(() => requireDatasets(archive, () => dataset)).not.toThrow();
    const digest = 'ff'.repeat(32);
    expect(() => requireDatasets(archive, () => ({ ...dataset, digest }))).toThrow(
      expect.objectContaining({
        code: 'ARCHIVE.MISMATCH',
        message: expect.stringMatching(
          `dataset "tiny" with digest ${dataset.digest}, and the one here has ${digest}`,
        ) as string,
      }),
    );
    expect(() => requireDatasets(archive, () => undefined)).toThrow(/there is none of this name\. Bring in/);
  });
});
