import { fileURLToPath } from 'node:url';
import { CODECS, inputDigest } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { all } from './archived-stream.fixture.js';
import { openArchive, verifyArchive } from './index.js';

/** What fixtures.py says. */
const IMAGES = Float32Array.from({ length: 40 }, (_, index) => (index - 20) / 32);
const SIZES = [4, 4, 2, 4, 4, 2];

function idsOf(step: number): Uint32Array {
  const order = Uint32Array.from({ length: 10 }, (_, id) => (step < 3 ? id : 9 - id));
  return order.slice((step % 3) * 4, (step % 3) * 4 + (SIZES[step] ?? 0));
}

function logitsOf(step: number): number[] {
  const rows = Array.from({ length: SIZES[step] ?? 0 }, (_, row) => (step * 4 + row) / 4);
  return rows.flatMap((row) => [0, 1].flatMap((member) => [0, 1, 2].map((c) => row - member + c / 8)));
}

describe.each(CODECS)('a stream in %s that pyarrow wrote', (codec) => {
  const directory = fileURLToPath(new URL(`../fixtures/pyarrow-${codec}`, import.meta.url));

  it('is read as if it had been exported, however its record batches are cut', async () => {
    const { manifest, steps } = await openArchive(directory);
    expect(manifest).toMatchObject({ codec, members: 2, classes: 3, teacherId: 'somebody', producer: null });
    const read = await all(steps());
    expect(read).toHaveLength(6);
    for (const { step, rows, ids, values, inputDigest: digest } of read) {
      expect({ rows, ids, values: [...values] }).toEqual({
        rows: SIZES[step],
        ids: idsOf(step),
        values: logitsOf(step),
      });
      const batch = [...idsOf(step)].flatMap((id) => [...IMAGES.slice(id * 4, id * 4 + 4)]);
      expect(digest).toBe(inputDigest(Float32Array.from(batch)));
    }
  });

  it('gives frames from the step asked for', async () => {
    const frames = await all((await openArchive(directory)).frames({ fromStep: 3 }));
    expect(frames.map(({ step, part, parts, rows }) => [step, part, parts, rows])).toEqual([
      [3, 0, 1, 4],
      [4, 0, 1, 4],
      [5, 0, 1, 2],
    ]);
    expect(await verifyArchive(directory)).toMatchObject({ steps: 6, rows: 20, shards: 2 });
  });
});
