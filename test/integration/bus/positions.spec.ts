import { ensureTopology, RunPositions, type NatsConnection } from '@fidelis/bus';
import type { ErrorCode, RunPosition } from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTo, storedMessages } from './bus-fixture.js';

const position = (worker: string, token: number, trainedStep = -1): RunPosition => ({
  token,
  worker,
  attempts: 1,
  trainedStep,
  checkpointStep: -1,
  checkpoint: null,
  result: null,
});

describe('RunPositions', () => {
  let nats: TestNats;
  let connections: NatsConnection[];
  let positions: RunPositions;
  let others: RunPositions;

  beforeAll(async () => {
    nats = await startTestNats();
    connections = [await connectTo(nats.url), await connectTo(nats.url)];
    [positions, others] = connections.map((connection) => new RunPositions(connection)) as [
      RunPositions,
      RunPositions,
    ];
    await ensureTopology(connections[0] as NatsConnection);
  });
  afterAll(async () => {
    await Promise.all((connections ?? []).map((connection) => connection.close()));
    await nats?.dispose();
  });

  it('know nothing of a run before it has begun', async () => {
    expect(await positions.read('r-none')).toBeUndefined();
    expect(await positions.cancelled('r-none')).toBe(false);
  });

  it('hold what was written last', async () => {
    const first = await positions.create('r-1', position('a', 1));
    const second = await positions.update('r-1', position('a', 1, 10), first);
    expect(await others.read('r-1')).toEqual({ position: position('a', 1, 10), revision: second });
  });

  it('let one of two workers take over that try at once, and tell the other RUN.LEASE_LOST', async () => {
    const revision = await positions.create('r-2', position('a', 1));
    const outcomes = await Promise.allSettled([
      positions.update('r-2', position('b', 2), revision),
      others.update('r-2', position('c', 3), revision),
    ]);
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(lost).toHaveLength(1);
    expect(lost[0]?.reason).toMatchObject({ code: 'RUN.LEASE_LOST', retryable: false });
    const winner = outcomes[0]?.status === 'fulfilled' ? 'b' : 'c';
    expect((await positions.read('r-2'))?.position.worker).toBe(winner);
  });

  it('are created by one of two that try at once', async () => {
    const outcomes = await Promise.allSettled([
      positions.create('r-3', position('a', 1)),
      others.create('r-3', position('b', 2)),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('refuse a former owner', async () => {
    const old = await positions.create('r-4', position('a', 1));
    const read = await others.read('r-4');
    await others.update('r-4', position('b', 2), read?.revision ?? 0);
    await expect(positions.update('r-4', position('a', 1, 99), old)).rejects.toMatchObject({
      code: 'RUN.LEASE_LOST',
      details: { owner: 'b', token: 2 },
    });
    expect((await positions.read('r-4'))?.position.trainedStep).toBe(-1);
  });

  it('refuse what is no position', async () => {
    await expect(positions.create('r-5', position('a', -1))).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
    });
    await expect(positions.create('r.5', position('a', 1))).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
    });
  });

  it('tell a worker once that its run is cancelled, before or after it watches', async () => {
    let calls = 0;
    const stop = await positions.watchCancel('r-6', () => calls++);
    await others.requestCancel('r-6');
    await others.requestCancel('r-6');
    await waitFor(() => calls === 1, { what: 'the cancellation' });
    expect(await positions.cancelled('r-6')).toBe(true);
    let late = 0;
    await positions.watchCancel('r-6', () => late++);
    await waitFor(() => late === 1, { what: 'the earlier cancellation' });
    stop();
    expect(calls).toBe(1);
  });

  it('can be told to go on after all', async () => {
    await positions.create('r-16', position('a', 1));
    await positions.requestCancel('r-16');
    await positions.withdrawCancel('r-16');
    expect(await others.cancelled('r-16')).toBe(false);
    expect(await others.read('r-16')).toBeDefined();
  });

  it('tell nothing after the watch has ended, nor of another run', async () => {
    let calls = 0;
    const stop = await positions.watchCancel('r-7', () => calls++);
    stop();
    await positions.watchCancel('r-8', () => calls++);
    let reference = 0;
    await positions.watchCancel('r-9', () => reference++);
    await others.requestCancel('r-7');
    await others.requestCancel('r-9');
    await waitFor(() => reference === 1, { what: 'the cancellation of the run after it' });
    expect(calls).toBe(0);
  });

  it('forget a run without a trace, so that it can begin again', async () => {
    const before = await storedMessages(connections[0] as NatsConnection, 'KV_fidelis-runs');
    await positions.create('r-10', position('a', 1));
    await positions.requestCancel('r-10');
    await positions.forget('r-10');
    expect(await storedMessages(connections[0] as NatsConnection, 'KV_fidelis-runs')).toBe(before);
    expect(await positions.read('r-10')).toBeUndefined();
    expect(await positions.cancelled('r-10')).toBe(false);
    await positions.create('r-10', position('b', 2));
  });

  it('can be read all at once, without what else is kept of a run', async () => {
    await positions.create('r-12', position('a', 1, 7));
    await positions.create('r-13', position('b', 2));
    await positions.requestCancel('r-12');
    const all = await others.list();
    expect([all.get('r-12'), all.get('r-13')]).toEqual([position('a', 1, 7), position('b', 2)]);
    expect([...all.keys()].filter((key) => key.includes('.'))).toEqual([]);
    await positions.forget('r-13');
    expect((await others.list()).has('r-13')).toBe(false);
  });

  it('leave nothing on the server when they are read, and one consumer while they are watched', async () => {
    const consumers = async (): Promise<string[]> => {
      const manager = await jetstreamManager(connections[0] as NatsConnection);
      const names: string[] = [];
      for await (const { name } of manager.consumers.list('KV_fidelis-runs')) names.push(name);
      return names;
    };
    // Of the watches in the tests before.
    const before = new Set(await consumers());
    const added = async (): Promise<string[]> => (await consumers()).filter((name) => !before.has(name));
    await positions.create('r-40', position('a', 1, 7));
    for (let round = 0; round < 3; round++) expect((await others.list()).has('r-40')).toBe(true);
    expect(await added()).toEqual([]);
    const stop = await others.watch(() => undefined);
    await waitFor(async () => (await added()).length > 0, { what: 'the watch' });
    expect(await added()).toHaveLength(1);
    stop();
  });

  it('can be read when there are more than the server gives at a time', async () => {
    const many = Array.from({ length: 1_300 }, (_, at) => `r-many-${at}`);
    for (const id of many) await positions.create(id, position('a', 1, 7));
    const all = await others.list();
    expect(many.filter((id) => all.get(id)?.trainedStep !== 7)).toEqual([]);
    await Promise.all(many.map((id) => positions.forget(id)));
    expect((await others.list()).has('r-many-0')).toBe(false);
  });

  it('let a training be tried again that was given up, from its checkpoint, and no other', async () => {
    const failed = (code: ErrorCode): RunPosition => ({
      ...position('a', 4, 99),
      attempts: 6,
      checkpointStep: 46,
      result: { outcome: 'failed', error: { code, message: 'no', retryable: false } },
    });
    await positions.create('r-14', failed('TRAINING.ATTEMPTS_EXHAUSTED'));
    await positions.create('r-15', failed('TRAINING.DIVERGED'));
    for (const id of ['r-14', 'r-15', 'r-none']) await others.resetAttempts(id);
    expect((await positions.read('r-14'))?.position).toEqual({
      ...failed('TRAINING.ATTEMPTS_EXHAUSTED'),
      attempts: 0,
      result: null,
    });
    expect((await positions.read('r-15'))?.position).toEqual(failed('TRAINING.DIVERGED'));
  });

  it('are told to whoever watches: first those that there are, then what changes, also over a restart, and what is forgotten', async () => {
    await positions.create('r-20', position('a', 1, 3));
    await positions.requestCancel('r-20');
    const told: [string, number | undefined][] = [];
    const stop = await others.watch((runId, value) => {
      if (runId.startsWith('r-2')) told.push([runId, value?.trainedStep]);
    });
    expect(told.filter(([runId]) => runId === 'r-20')).toEqual([['r-20', 3]]);
    const revision = (await positions.read('r-20'))?.revision ?? 0;
    const next = await positions.update('r-20', position('a', 1, 4), revision);
    await waitFor(() => told.at(-1)?.[1] === 4, { what: 'the change' });
    await nats.kill();
    await nats.restart();
    await positions.update('r-20', position('a', 1, 5), next);
    await positions.create('r-21', position('b', 1, 8));
    await waitFor(() => told.some(([runId]) => runId === 'r-21'), { what: 'what came after the restart' });
    await waitFor(() => told.some(([, trained]) => trained === 5), { what: 'the change after the restart' });
    await positions.forget('r-20');
    await waitFor(() => told.at(-1)?.[1] === undefined, { what: 'that it is forgotten' });
    await positions.create('r-20', position('c', 1, 0));
    await waitFor(() => told.at(-1)?.[1] === 0, { what: 'the new one' });
    expect(told.filter(([runId]) => runId === 'r-20').map(([, trained]) => trained)).toEqual([
      3,
      4,
      5,
      undefined,
      0,
    ]);
    stop();
    await positions.create('r-22', position('c', 1, 1));
    const after = await others.watch((runId) => told.push([`again ${runId}`, 1]));
    after();
    expect(told.some(([runId]) => runId === 'again r-22')).toBe(true);
    expect(told.some(([runId]) => runId === 'r-22')).toBe(false);
  });

  it('are written through a restart of NATS', async () => {
    const revision = await positions.create('r-11', position('a', 1));
    await nats.kill();
    const writing = positions.update('r-11', position('a', 1, 5), revision);
    await nats.restart();
    const next = await writing;
    expect(await others.read('r-11')).toEqual({ position: position('a', 1, 5), revision: next });
  });
});
