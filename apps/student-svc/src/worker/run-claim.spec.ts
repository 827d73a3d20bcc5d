import { FidelisError, type RunPosition } from '@fidelis/contracts';
import type { RunPositions, StoredPosition } from '@fidelis/bus';
import { beforeEach, describe, expect, it } from 'vitest';
import { completed } from '../../fixtures/records.js';
import { RunClaim } from './run-claim.js';

const RUN = 'r-1';

/** The KV's compare-and-set in memory. */
class FakePositions implements Pick<RunPositions, 'read' | 'create' | 'update'> {
  readonly stored = new Map<string, StoredPosition>();
  private revision = 0;

  async read(runId: string): Promise<StoredPosition | undefined> {
    return this.stored.get(runId);
  }

  async create(runId: string, position: RunPosition): Promise<number> {
    if (this.stored.has(runId)) throw new FidelisError('RUN.LEASE_LOST', 'there is one');
    return this.put(runId, position);
  }

  async update(runId: string, position: RunPosition, revision: number): Promise<number> {
    if (this.stored.get(runId)?.revision !== revision)
      throw new FidelisError('RUN.LEASE_LOST', 'another wrote');
    return this.put(runId, position);
  }

  get position(): RunPosition | undefined {
    return this.stored.get(RUN)?.position;
  }

  private put(runId: string, position: RunPosition): number {
    this.revision += 1;
    this.stored.set(runId, { position, revision: this.revision });
    return this.revision;
  }
}

const leaseLost = expect.objectContaining({ code: 'RUN.LEASE_LOST' }) as unknown;

describe('RunClaim', () => {
  let positions: FakePositions;
  const take = (token: number, worker: string): Promise<RunClaim> =>
    RunClaim.take(positions as unknown as RunPositions, RUN, token, worker);

  beforeEach(() => {
    positions = new FakePositions();
  });

  it('begins a run that nobody had', async () => {
    const claim = await take(7, 'a');
    expect(positions.position).toEqual({
      token: 7,
      worker: 'a',
      attempts: 1,
      trainedStep: -1,
      checkpointStep: -1,
      checkpoint: null,
      result: null,
    });
    expect(claim.position).toEqual(positions.position);
  });

  it('goes on where the last owner left a checkpoint', async () => {
    const first = await take(7, 'a');
    await first.checkpointed(99, 'c'.repeat(64));
    await first.trained(120);
    const second = await take(9, 'b');
    expect(second.position).toEqual({
      token: 9,
      worker: 'b',
      attempts: 1,
      trainedStep: 120,
      checkpointStep: 99,
      checkpoint: 'c'.repeat(64),
      result: null,
    });
  });

  it('makes every write of an owner fail that a newer delivery has replaced', async () => {
    const slow = await take(7, 'a');
    await slow.trained(3);
    const owner = await take(8, 'b');
    await expect(slow.trained(4)).rejects.toEqual(leaseLost);
    await expect(slow.checkpointed(4, 'c'.repeat(64))).rejects.toEqual(leaseLost);
    await expect(slow.finish(completed)).rejects.toEqual(leaseLost);
    expect(positions.position).toEqual(owner.position);
    await owner.trained(5);
    expect(positions.position).toMatchObject({ worker: 'b', trainedStep: 5 });
  });

  it('is refused to a delivery older than the owner’s', async () => {
    await take(8, 'b');
    await expect(take(7, 'a')).rejects.toEqual(leaseLost);
    expect(positions.position).toMatchObject({ worker: 'b', attempts: 1 });
  });

  it('goes to one of two that take it at the same time', async () => {
    await take(7, 'a');
    const both = await Promise.allSettled([take(8, 'b'), take(9, 'c')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [lost] = both.filter((one) => one.status === 'rejected');
    expect(lost?.reason).toEqual(leaseLost);
  });

  it('gives a delivery that looks like the last one a greater token', async () => {
    const forgotten = await take(7, 'a');
    const owner = await take(7, 'b');
    expect(owner.position.token).toBeGreaterThan(forgotten.position.token);
    await expect(forgotten.trained(1)).rejects.toEqual(leaseLost);
  });

  it('counts attempts until a checkpoint says that it goes forward', async () => {
    await take(1, 'a');
    await take(2, 'b');
    const third = await take(3, 'c');
    expect(third.position.attempts).toBe(3);
    await third.trained(10);
    expect(third.position.attempts).toBe(3);
    await third.checkpointed(10, 'c'.repeat(64));
    expect((await take(4, 'd')).position.attempts).toBe(1);
  });

  it('of a finished run gives its result and changes nothing', async () => {
    await (await take(7, 'a')).finish(completed);
    const before = positions.stored.get(RUN);
    const late = await take(9, 'b');
    expect(late.position).toMatchObject({ result: completed, token: 7, worker: 'a' });
    expect(positions.stored.get(RUN)).toEqual(before);
  });

  it('of a finished run gives its result to a delivery older than the owner’s, too', async () => {
    await (await take(7, 'a')).finish(completed);
    expect((await take(6, 'b')).position.result).toEqual(completed);
  });

  it('holds what was written, and not what could not be', async () => {
    const claim = await take(7, 'a');
    await take(8, 'b');
    await expect(claim.trained(4)).rejects.toEqual(leaseLost);
    expect(claim.position.trainedStep).toBe(-1);
  });
});
