import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openArchive, sampleSources, verifyArchive, writeArchive } from '@fidelis/archive';
import {
  decodeHalf,
  encodeHalf,
  partition,
  streamKey,
  type Codec,
  type LogitFrame,
  type TableViewSpec,
} from '@fidelis/contracts';
import { combineMembers } from '@fidelis/models';
import { encodeNpy } from '@fidelis/tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
/** Without a __pycache__ beside the scripts. */
const run = (program: string, args: readonly string[]): Promise<{ stdout: string }> =>
  execute(program, ['-B', ...args], { maxBuffer: 64 * 1024 * 1024 });
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Set FIDELIS_PYTHON to a Python with the packages of requirements.txt. */
const python = process.env['FIDELIS_PYTHON'] ?? 'python3';
const present = await run(python, ['-c', 'import pyarrow, numpy, hashlib; hashlib.file_digest']).then(
  () => true,
  () => false,
);

const [ROWS, MEMBERS, CLASSES] = [2_500, 2, 10];
let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'fidelis-python-'));
});

afterAll(() => rm(home, { recursive: true, force: true }));

/** A table's stream, of logits between −4 and 4 that follow from row and column. */
async function exported(name: string, codec: Codec): Promise<{ directory: string; values: Float32Array }> {
  const dataset = { name: 'made-up', digest: '5a'.repeat(32) };
  const view: TableViewSpec = { kind: 'table', dataset, split: 'train' };
  const values = Float32Array.from({ length: ROWS * MEMBERS * CLASSES }, (_, at) => {
    const value = Math.fround(4 * Math.sin(at * at));
    return codec === 'f16' ? decodeHalf(encodeHalf(value)) : value;
  });
  const teacherDigest = '0a'.repeat(32);
  const key = streamKey(teacherDigest, view, codec);
  async function* frames(): AsyncGenerator<LogitFrame> {
    for (let step = 0; step < 3; step++) {
      const [from, to] = [step * 1_024, Math.min(ROWS, (step + 1) * 1_024)];
      yield {
        codec,
        part: 0,
        parts: 1,
        streamKey: key,
        step,
        rows: to - from,
        members: MEMBERS,
        classes: CLASSES,
        inputDigest: (0xfeed_0000 + step).toString(16).padStart(16, '0'),
        values: values.slice(from * MEMBERS * CLASSES, to * MEMBERS * CLASSES),
      };
    }
  }
  const directory = path.join(home, name);
  await writeArchive(
    directory,
    {
      streamKey: key,
      teacherId: 't-5f1c3a9be702',
      teacherDigest,
      view,
      samples: [...sampleSources(view, () => ROWS)],
      codec,
      members: MEMBERS,
      classes: CLASSES,
      ...partition(1_024, MEMBERS, CLASSES, codec),
      mixing: false,
      producer: null,
      steps: 3,
    },
    frames(),
    (step) => ({
      ids: Uint32Array.from({ length: Math.min(1_024, ROWS - step * 1_024) }, (_, row) => step * 1_024 + row),
    }),
    { shardBytes: 100_000 },
  );
  return { directory, values };
}

/** Runs a few lines after `from read_stream import *`. */
async function evaluate(lines: string): Promise<unknown> {
  const code = `import json, sys\nsys.path.insert(0, ${JSON.stringify(script('.'))})\nfrom read_stream import *\n${lines}`;
  const { stdout } = await run(python, ['-c', code]);
  return JSON.parse(stdout);
}

describe.skipIf(!present)(
  `a stored stream and Python${present ? '' : ` (skipped: ${python} has no pyarrow and NumPy, see FIDELIS_PYTHON)`}`,
  () => {
    it.each(['f16', 'f32'] as const)(
      'the example reads every id and every bit of the logits in %s',
      async (codec) => {
        const { directory, values } = await exported(`bits-${codec}`, codec);
        const read = (await evaluate(
          `manifest, ids, steps, logits = read_stream(${JSON.stringify(directory)})
print(json.dumps({"dtype": str(logits.dtype), "shape": logits.shape, "shards": len(manifest["shards"]), "ids": ids.tolist(), "steps": steps.tolist(), "hex": logits.astype("<f4").tobytes().hex()}))`,
        )) as { dtype: string; shape: number[]; shards: number; ids: number[]; steps: number[]; hex: string };
        expect(read).toMatchObject({
          dtype: codec === 'f16' ? 'float16' : 'float32',
          shape: [ROWS, MEMBERS, CLASSES],
        });
        expect(read.shards).toBeGreaterThan(1);
        expect(read.ids).toEqual(Array.from({ length: ROWS }, (_, id) => id));
        expect(read.steps).toEqual(read.ids.map((id) => Math.floor(id / 1_024)));
        expect(read.hex).toBe(Buffer.from(values.buffer).toString('hex'));
      },
    );

    it('the example combines members as the platform does', async () => {
      const { directory, values } = await exported('combined', 'f32');
      const combined = (await evaluate(
        `print(json.dumps(combine_members(read_stream(${JSON.stringify(directory)})[3])[:200].ravel().tolist()))`,
      )) as number[];
      const ours = combineMembers(values, ROWS, MEMBERS, CLASSES);
      const worst = Math.max(...combined.map((value, at) => Math.abs(value - (ours[at] ?? NaN))));
      expect(combined).toHaveLength(200 * CLASSES);
      expect(worst).toBeLessThan(2e-6);
    });

    it('the example prints what docs/streams.md shows', async () => {
      const { directory } = await exported('printed', 'f16');
      const { stdout } = await run(python, [script('read_stream.py'), directory]);
      const docs = await readFile(new URL('../../../docs/streams.md', import.meta.url), 'utf8');
      expect(stdout).toContain('mean confidence: 0.');
      expect(docs).toContain(
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => `    ${line}`)
          .join('\n'),
      );
    });

    it('the example refuses a damaged shard', async () => {
      const { directory } = await exported('damaged', 'f16');
      await truncate(path.join(directory, 'shard-00000.arrow'), 5_000);
      await expect(run(python, [script('read_stream.py'), directory])).rejects.toThrow(
        /is damaged: its sha-256/,
      );
    });

    it.each(['f2', 'f4'] as const)(
      'soft labels that the example writes in %s can be imported',
      async (dtype) => {
        const { directory } = await exported(`source-${dtype}`, 'f16');
        const logits = Float32Array.from({ length: ROWS * 7 }, (_, at) => ((at * 37) % 1_001) / 8);
        const file = path.join(home, `soft-${dtype}.npy`);
        await writeFile(file, encodeNpy(logits, [ROWS, 7]));
        if (dtype === 'f2')
          await evaluate(
            `np.save(${JSON.stringify(file)}, np.load(${JSON.stringify(file)}).astype("f2")); print(0)`,
          );
        const target = path.join(home, `written-${dtype}`);
        await run(python, [script('write_stream.py'), directory, file, target]);
        expect(await verifyArchive(target)).toMatchObject({ steps: 3, rows: ROWS });
        const archive = await openArchive(target);
        expect(archive.manifest).toMatchObject({
          teacherId: `soft-${dtype}`,
          members: 1,
          classes: 7,
          codec: dtype === 'f2' ? 'f16' : 'f32',
        });
        const values: number[] = [];
        for await (const frame of archive.frames()) values.push(...frame.values);
        expect(values).toEqual([...logits]);
      },
    );
  },
);
