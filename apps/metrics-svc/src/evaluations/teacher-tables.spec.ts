import { FidelisError, sha256Hex } from '@fidelis/contracts';
import type { ArtifactStore, RpcClient } from '@fidelis/bus';
import { combineMembers } from '@fidelis/models';
import { beforeEach, describe, expect, it } from 'vitest';
import { TeacherTables } from './teacher-tables.js';

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

describe('TeacherTables', () => {
  const blobs = new Map<string, Uint8Array>();
  let answers: Map<string, object>;
  let reads: string[];
  let tables: TeacherTables;

  function has(
    teacherId: string,
    values: Float32Array,
    shape: { rows: number; members: number; classes: number },
  ): string {
    const artifact = sha256Hex(bytesOf(values));
    blobs.set(artifact, bytesOf(values));
    answers.set(teacherId, { state: 'ready', artifact, teacherDigest: 'fe'.repeat(32), ...shape });
    return artifact;
  }

  beforeEach(() => {
    blobs.clear();
    answers = new Map();
    reads = [];
    const rpc = {
      call: async (_: unknown, { teacherId }: { teacherId: string }) =>
        answers.get(teacherId) ?? { state: 'pending' },
    };
    const artifacts = {
      get: async (digest: string) => {
        reads.push(digest);
        await Promise.resolve();
        const bytes = blobs.get(digest);
        if (bytes === undefined) throw new FidelisError('BUS.UNAVAILABLE', 'away');
        return bytes;
      },
    };
    tables = new TeacherTables(rpc as unknown as RpcClient, artifacts as unknown as ArtifactStore);
  });

  it('asks to be asked again while the teacher is still scoring', async () => {
    await expect(tables.get('t-1', 'test')).rejects.toMatchObject({
      code: 'TEACHER.NOT_READY',
      retryable: true,
    });
    has('t-1', Float32Array.of(1, 2), { rows: 1, members: 1, classes: 2 });
    expect([...(await tables.get('t-1', 'test')).logits]).toEqual([1, 2]);
  });

  it('reads a table that is small, and so lies in a buffer with others', async () => {
    const artifact = has('t-1', Float32Array.of(1, 2), { rows: 1, members: 1, classes: 2 });
    const pooled = Buffer.concat([blobs.get(artifact) ?? Buffer.alloc(0)]);
    expect(pooled.buffer.byteLength).toBeGreaterThan(pooled.length);
    blobs.set(artifact, pooled);
    expect([...(await tables.get('t-1', 'test')).logits]).toEqual([1, 2]);
  });

  it('reads a table once, also for two that want it at the same time', async () => {
    has('t-1', Float32Array.of(1, 2), { rows: 1, members: 1, classes: 2 });
    const [one, two] = await Promise.all([tables.get('t-1', 'test'), tables.get('t-1', 'test')]);
    expect(await tables.get('t-1', 'test')).toBe(one);
    expect(two).toBe(one);
    expect(reads).toHaveLength(1);
  });

  it('reads bytes wherever they lie in their buffer', async () => {
    const artifact = has('t-1', Float32Array.of(1, 2), { rows: 1, members: 1, classes: 2 });
    const shifted = new Uint8Array(9);
    shifted.set(blobs.get(artifact) ?? [], 1);
    blobs.set(artifact, shifted.subarray(1));
    expect([...(await tables.get('t-1', 'test')).logits]).toEqual([1, 2]);
  });

  it('combines the members of an ensemble', async () => {
    const values = Float32Array.of(1, 2, 3, -1, 0, 4, 4, 4);
    has('t-1', values, { rows: 2, members: 2, classes: 2 });
    const table = await tables.get('t-1', 'test');
    expect(table).toEqual({ rows: 2, classes: 2, logits: combineMembers(values, 2, 2, 2) });
  });

  it('refuses bytes that do not fit the shape', async () => {
    has('t-1', Float32Array.of(1, 2, 3), { rows: 1, members: 1, classes: 2 });
    await expect(tables.get('t-1', 'test')).rejects.toMatchObject({ code: 'ARTIFACT.CORRUPT' });
  });

  it('forgets what could not be read, so that the next one tries again', async () => {
    const artifact = has('t-1', Float32Array.of(1, 2), { rows: 1, members: 1, classes: 2 });
    const bytes = blobs.get(artifact);
    blobs.delete(artifact);
    await expect(tables.get('t-1', 'test')).rejects.toMatchObject({ code: 'BUS.UNAVAILABLE' });
    blobs.set(artifact, bytes ?? new Uint8Array());
    expect((await tables.get('t-1', 'test')).rows).toBe(1);
  });

  it('keeps eight tables, those that were used last', async () => {
    const name = (i: number): string => `t-${i}`;
    const digests = Array.from({ length: 9 }, (_, i) =>
      has(name(i), Float32Array.of(i, i), { rows: 1, members: 1, classes: 2 }),
    );
    for (let i = 0; i < 8; i++) await tables.get(name(i), 'test');
    await tables.get(name(0), 'test');
    await tables.get(name(8), 'test');
    reads = [];
    await tables.get(name(0), 'test');
    await tables.get(name(8), 'test');
    expect(reads).toEqual([]);
    await tables.get(name(1), 'test');
    expect(reads).toEqual([digests[1]]);
  });
});
