import {
  decodeFrame,
  streamRpc,
  type DatasetRef,
  type RunPosition,
  type StreamDetails,
  type StreamRecord,
} from '@fidelis/contracts';
import { ArtifactStore, LogitLog, RunPositions } from '@fidelis/bus';
import { datasetRefOf } from '@fidelis/data';
import { createModel, encodeWeights, initialWeights } from '@fidelis/models';
import { waitFor } from '@fidelis/testing';
import { configSchema, createApp } from '@fidelis/teacher-svc';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertTeacher, TEACHER_ID } from './teacher-fixture.js';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';

/** Room for about 70 steps of 32 samples. */
const QUOTA = 60_000;
const PATIENCE_SECONDS = 5;
const ELSEWHERE = { backend: 'tensorflow', backendVersion: '1.0', threads: 4, platform: 'elsewhere' };

describe('streams that share their room and their producers', () => {
  let servers: Servers;
  let teacher: RunningService;
  let environment: Record<string, string>;
  let dataset: DatasetRef;

  beforeAll(async () => {
    servers = await startServers();
    environment = {
      FIDELIS_NATS_URL: servers.natsUrl,
      FIDELIS_DATABASE_URL: servers.databaseUrl,
      FIDELIS_STREAM_QUOTA_BYTES: `${QUOTA}`,
      FIDELIS_STREAM_QUOTA_PATIENCE_SECONDS: `${PATIENCE_SECONDS}`,
      FIDELIS_INSTANCE: 'teacher-0',
    };
    teacher = await startApp(createApp, configSchema, environment);
    dataset = await datasetRefOf('mnist');
    const model = createModel({ name: 'lenet5' }, { height: 28, width: 28, channels: 1 }, 10);
    const weights = encodeWeights(model, initialWeights(model, 1));
    const digest = await teacher.get(ArtifactStore).put(weights);
    await insertTeacher(teacher.get(DataSource), dataset, digest);
  });
  afterAll(async () => {
    await teacher?.close();
    await servers?.dispose();
  });

  const open = (runId: string, steps: number, view: object): Promise<StreamRecord> =>
    teacher.rpc.call(streamRpc.open, {
      ...{ teacherId: TEACHER_ID, codec: 'f16', steps, runId, correlationId: `c-${runId}` },
      view: { dataset, split: 'train', ...view } as never,
    });
  /** Takes about 21,000 bytes. */
  const table = (seed: number): object => ({
    ...{ kind: 'table', subset: { size: 1_000, stratified: false, seed } },
  });
  /** 20 steps an epoch. */
  const sequence = (seed: number, size = 640): object => ({
    ...{
      kind: 'sequence',
      subset: { size, stratified: false, seed: 0 },
      augmentation: [],
      seed,
      batchSize: 32,
    },
  });
  const details = (key: string): Promise<StreamDetails> => teacher.rpc.call(streamRpc.get, { key });
  const when = (key: string, what: string, is: (found: StreamDetails) => boolean): Promise<StreamDetails> =>
    waitFor(
      async () => {
        const found = await details(key);
        return is(found) && found;
      },
      { what: `${key} ${what}`, deadlineMs: 30_000 },
    );
  const complete = (key: string): Promise<StreamDetails> =>
    when(key, 'to be complete', ({ stream }) => stream.state === 'complete');
  const release = (runId: string): Promise<unknown> => teacher.rpc.call(streamRpc.release, { runId });
  const remove = (key: string): Promise<unknown> => teacher.rpc.call(streamRpc.remove, { key });
  const position = (trainedStep: number, checkpointStep: number): RunPosition => ({
    ...{ token: 1, worker: 'w-1', attempts: 0, checkpoint: null, result: null },
    ...{ trainedStep, checkpointStep },
  });
  const usage = async (): Promise<number> =>
    (await teacher.get(LogitLog).list()).reduce((sum, { bytes }) => sum + bytes, 0);
  const frames = async (key: string): Promise<string[]> => {
    const read: string[] = [];
    for await (const frame of teacher.get(LogitLog).read(key, { parts: 1, fromStep: 0, toStep: 1 })) {
      read.push(`${frame.inputDigest} ${decodeFrame(frame.bytes).values.join()}`);
    }
    return read;
  };

  it('are refused at once if not even an epoch fits, with the size that it needs', async () => {
    const error = await open('r-large', 5_000, sequence(0, 60_000)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'STREAM.QUOTA',
      retryable: false,
      message: expect.stringContaining('FIDELIS_STREAM_QUOTA_BYTES') as unknown,
      details: { quota: QUOTA },
    });
    const { needed } = (error as { details: { needed: number } }).details;
    // 1,875 steps of 32 · 10 f16 values, and a little for each message.
    expect(needed).toBeGreaterThan(1_875 * 640);
    expect(needed).toBeLessThan(1_875 * 900);
    expect((await teacher.rpc.call(streamRpc.list, {})).streams).toEqual([]);
  });

  it('that nobody reads make room, the one that was not used for longest first, and are opened again', async () => {
    const first = await open('r-1', 1, table(1));
    await complete(first.key);
    const before = await frames(first.key);
    await release('r-1');
    const second = await open('r-2', 1, table(2));
    await complete(second.key);
    await release('r-2');
    const third = await open('r-3', 1, table(3));
    await complete(third.key);
    expect((await details(first.key)).stream.state).toBe('expired');
    expect(await teacher.get(LogitLog).info(first.key)).toBeUndefined();
    expect((await details(second.key)).stream.state).toBe('complete');

    await open('r-4', 1, table(1));
    expect((await complete(first.key)).stream).toMatchObject({ incarnation: 1, publishedSteps: 1 });
    expect(await frames(first.key)).toEqual(before);
    expect((await details(second.key)).stream.state).toBe('expired');
    expect(await usage()).toBeLessThanOrEqual(QUOTA);
    for (const run of ['r-3', 'r-4']) await release(run);
    for (const { key } of [first, second, third]) await remove(key);
  });

  it('keep what a run may still read, and wait for it; what all have read makes room', async () => {
    const { key } = await open('r-long', 200, sequence(1));
    const full = await when(key, 'to wait', ({ stream }) => stream.waitsFor === 'quota');
    expect(full).toMatchObject({ firstStep: 0, stream: { state: 'producing' } });
    expect(full.stream.publishedSteps).toBeGreaterThan(55);
    expect(await usage()).toBeLessThanOrEqual(QUOTA);
    const { usage: shown } = await teacher.rpc.call(streamRpc.list, {});
    expect(shown).toEqual({ storedBytes: await usage(), quotaBytes: QUOTA });

    const positions = teacher.get(RunPositions);
    let revision = await positions.create('r-long', position(70, 49));
    const further = await when(
      key,
      'to grow',
      ({ firstStep, stream }) => firstStep === 50 && stream.publishedSteps > 105,
    );
    expect(further.stream.publishedSteps).toBeLessThan(140);
    for (const checkpointStep of [109, 169]) {
      revision = await positions.update('r-long', position(checkpointStep, checkpointStep), revision);
      await when(
        key,
        'to go on',
        ({ firstStep, stream }) => firstStep === checkpointStep + 1 || stream.state === 'complete',
      );
    }
    await complete(key);
    expect(await usage()).toBeLessThanOrEqual(QUOTA);
    expect(await teacher.sample('fidelis_teacher_wait_seconds_total{reason="quota"}')).toBeGreaterThan(0);
    await release('r-long');
    await remove(key);
  });

  it('are given up when there was no room for too long', async () => {
    const { key } = await open('r-stuck', 200, sequence(2));
    const { stream } = await when(key, 'to fail', ({ stream: { state } }) => state === 'failed');
    expect(stream.error).toMatchObject({
      code: 'STREAM.QUOTA',
      details: { quota: QUOTA, used: expect.any(Number) as unknown, needed: expect.any(Number) as unknown },
    });
    await release('r-stuck');
    await remove(key);
  });

  it('are produced by one replica at a time; one that died is followed by another', async () => {
    const wanted = sequence(3);
    const { key } = await open('r-lease', 20, wanted);
    await complete(key);
    // As if another replica had begun to extend it.
    await teacher
      .get(DataSource)
      .query(
        `UPDATE streams SET lease_owner = 'teacher-9', lease_until = now() + interval '3 seconds' WHERE key = $1`,
        [key],
      );
    const began = performance.now();
    await open('r-lease', 40, wanted);
    await complete(key);
    expect(performance.now() - began).toBeGreaterThan(2_500);
    expect(performance.now() - began).toBeLessThan(10_000);
    await release('r-lease');
    await remove(key);
  });

  it('are not gone on with by another producer, unless that is allowed', async () => {
    const wanted = sequence(4);
    const { key } = await open('r-producer', 20, wanted);
    await complete(key);
    const foreign = [
      { instance: 'teacher-9', fingerprint: ELSEWHERE, steps: 20, at: '2026-01-01T00:00:00.000Z' },
    ];
    await teacher
      .get(DataSource)
      .query('UPDATE streams SET producers = $2 WHERE key = $1', [key, JSON.stringify(foreign)]);
    await open('r-producer', 40, wanted);
    const { stream } = await when(key, 'to fail', ({ stream: { state } }) => state === 'failed');
    expect(stream.error).toMatchObject({
      code: 'STREAM.PRODUCER_CHANGED',
      details: { before: ELSEWHERE, now: { threads: 1 } },
    });
    expect(stream.publishedSteps).toBe(20);

    await teacher.close();
    teacher = await startApp(createApp, configSchema, {
      ...environment,
      FIDELIS_ALLOW_PRODUCER_CHANGE: 'true',
    });
    await open('r-again', 40, wanted);
    const { producers } = (await complete(key)).stream;
    expect(producers).toMatchObject([
      { instance: 'teacher-9', steps: 20 },
      { instance: 'teacher-0', steps: 20 },
    ]);
    for (const run of ['r-producer', 'r-again']) await release(run);
    await remove(key);
  });
});
