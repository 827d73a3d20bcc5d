import {
  decodeFrame,
  logitStreamName,
  streamRpc,
  type DatasetRef,
  type RunPosition,
  type StreamDetails,
  type StreamRecord,
} from '@fidelis/contracts';
import { ArtifactStore, LogitLog, RunPositions } from '@fidelis/bus';
import { createTableView, datasetRefOf, loadDataset } from '@fidelis/data';
import { createModel, encodeWeights, initialWeights } from '@fidelis/models';
import { waitFor } from '@fidelis/testing';
import { configSchema, createApp } from '@fidelis/teacher-svc';
import { jetstreamManager } from '@nats-io/jetstream';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertTeacher, TEACHER_ID } from './teacher-fixture.js';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';

const OTHER_TEACHER = 't-ffffffffffff';
const LEAD = 40;
const SUBSET = { size: 2_500, stratified: false, seed: 0 } as const;

/** Real processes score real images: a suite that proves that what is stored is what was asked for. */
describe('a teacher that is scored', () => {
  let servers: Servers;
  let teacher: RunningService;
  let dataset: DatasetRef;
  let weights: string;

  beforeAll(async () => {
    servers = await startServers();
    teacher = await startApp(createApp, configSchema, {
      FIDELIS_NATS_URL: servers.natsUrl,
      FIDELIS_DATABASE_URL: servers.databaseUrl,
      FIDELIS_STREAM_LEAD_STEPS: `${LEAD}`,
    });
    dataset = await datasetRefOf('mnist');
    const model = createModel({ name: 'lenet5' }, { height: 28, width: 28, channels: 1 }, 10);
    const put = (seed: number): Promise<string> =>
      teacher.get(ArtifactStore).put(encodeWeights(model, initialWeights(model, seed)));
    weights = await put(1);
    await insertTeacher(teacher.get(DataSource), dataset, weights);
    await insertTeacher(teacher.get(DataSource), dataset, await put(2), OTHER_TEACHER);
  });
  afterAll(async () => {
    await teacher?.close();
    await servers?.dispose();
  });

  const open = (runId: string, steps: number, view: object, teacherId = TEACHER_ID): Promise<StreamRecord> =>
    teacher.rpc.call(streamRpc.open, {
      ...{ teacherId, codec: 'f16', steps, runId, correlationId: `c-${runId}` },
      view: { dataset, split: 'train', ...view } as never,
    });
  const table = { kind: 'table', subset: SUBSET };
  const sequence = (seed: number): object => ({
    ...{ kind: 'sequence', subset: SUBSET, augmentation: [], seed, batchSize: 32 },
  });
  const details = (key: string): Promise<StreamDetails> => teacher.rpc.call(streamRpc.get, { key });
  const reaches = (key: string, state: string, publishedSteps: number): Promise<StreamDetails> =>
    waitFor(
      async () => {
        const found = await details(key);
        const { stream } = found;
        return stream.state === state && stream.publishedSteps === publishedSteps && found;
      },
      { what: `${key} to be ${state} with ${publishedSteps} steps`, deadlineMs: 40_000 },
    );
  const release = (runId: string): Promise<unknown> => teacher.rpc.call(streamRpc.release, { runId });
  const position = (trainedStep: number, checkpointStep = -1): RunPosition => ({
    ...{ token: 1, worker: 'w-1', attempts: 0, checkpoint: null, result: null },
    ...{ trainedStep, checkpointStep },
  });
  const frames = async (key: string, fromStep: number, toStep: number): Promise<string[]> => {
    const read: string[] = [];
    for await (const frame of teacher.get(LogitLog).read(key, { parts: 1, fromStep, toStep })) {
      read.push(`${frame.step} ${frame.inputDigest} ${decodeFrame(frame.bytes).values.join()}`);
    }
    return read;
  };

  it('stores a table whole, with who scored it, and the predictions that it brings', async () => {
    const { key } = await open('r-table', 3, table);
    const { stream, storedBytes } = await reaches(key, 'complete', 3);
    expect(stream.producers).toMatchObject([{ steps: 3, fingerprint: { threads: 1 } }]);
    expect(stream.publishedBytes).toBeGreaterThan(2_500 * 10 * 2);
    expect(storedBytes).toBeGreaterThan(stream.publishedBytes);
    const view = createTableView(await loadDataset('mnist'), {
      kind: 'table',
      dataset,
      split: 'train',
      subset: SUBSET,
    });
    expect((await frames(key, 0, 3)).length).toBe(view.chunks);
    expect(await teacher.sample('fidelis_canary_rows_total')).toBeGreaterThanOrEqual(3);
    await release('r-table');
  });

  it('is a lead ahead of the fastest run, and follows it', async () => {
    const { key } = await open('r-slow', 200, sequence(1));
    await reaches(key, 'producing', LEAD);
    expect(await waitFor(async () => (await details(key)).stream.waitsFor, { what: 'a wait' })).toBe('pace');
    await open('r-fast', 200, sequence(1));
    const revision = await teacher.get(RunPositions).create('r-fast', position(59));
    await reaches(key, 'producing', LEAD + 60);
    expect((await details(key)).firstStep).toBe(0);
    await teacher.get(RunPositions).update('r-fast', position(199), revision);
    await reaches(key, 'complete', 200);
    expect(await teacher.sample('fidelis_teacher_wait_seconds_total{reason="pace"}')).toBeGreaterThan(0);
    await release('r-slow');
    await release('r-fast');
  });

  it('ends where it is when its only run is gone, and goes on for another', async () => {
    const { key } = await open('r-cancelled', 200, sequence(2));
    await reaches(key, 'producing', LEAD);
    await release('r-cancelled');
    expect((await reaches(key, 'complete', LEAD)).stream.steps).toBe(LEAD);
    await open('r-next', LEAD + 10, sequence(2));
    await reaches(key, 'producing', LEAD);
    await teacher.get(RunPositions).create('r-next', position(20));
    await reaches(key, 'complete', LEAD + 10);
    await release('r-next');
  });

  it('serves two teachers side by side, though one of them waits', async () => {
    const waiting = await open('r-waits', 200, sequence(3));
    await reaches(waiting.key, 'producing', LEAD);
    const { key } = await open('r-other', 3, table, OTHER_TEACHER);
    await reaches(key, 'complete', 3);
    await release('r-waits');
    await release('r-other');
  });

  it('produces again what is gone, from where its runs need it, with the same frames', async () => {
    const { key } = await open('r-loss', 60, sequence(4));
    const positions = teacher.get(RunPositions);
    const revision = await positions.create('r-loss', position(59, 24));
    await reaches(key, 'complete', 60);
    const before = await frames(key, 25, 60);
    const publishedBefore = await teacher.sample('fidelis_frames_published_total{codec="f16"}');

    const manager = await jetstreamManager(teacher.connection);
    await manager.streams.deleteMessage(logitStreamName(key), 41);
    const renewed = await waitFor(
      async () => {
        const found = await details(key);
        return found.stream.incarnation === 1 && found.stream.state === 'complete' && found;
      },
      { what: 'a second incarnation', deadlineMs: 20_000 },
    );
    expect(renewed).toMatchObject({ firstStep: 25, stream: { publishedSteps: 60 } });
    expect(await frames(key, 25, 60)).toEqual(before);
    // Published is counted in distinct steps.
    expect(await teacher.sample('fidelis_frames_published_total{codec="f16"}')).toBe(publishedBefore);

    await teacher.get(LogitLog).remove(key);
    await waitFor(async () => (await details(key)).stream.incarnation === 2, { what: 'a third incarnation' });
    await reaches(key, 'complete', 60);
    expect(await frames(key, 25, 60)).toEqual(before);

    // A run from the beginning needs what came before.
    await open('r-late', 60, sequence(4));
    await waitFor(async () => (await details(key)).firstStep === 0, { what: 'all steps' });
    await reaches(key, 'complete', 60);
    expect(await frames(key, 25, 60)).toEqual(before);
    await positions.update('r-loss', position(59, 59), revision);
    await release('r-loss');
    await release('r-late');
  });

  it('cannot produce again what is gone when its weights are gone, and says what is there', async () => {
    const { key } = await open('r-gone', 30, sequence(5));
    await reaches(key, 'complete', 30);
    const manager = await jetstreamManager(teacher.connection);
    await teacher
      .get(DataSource)
      .query('UPDATE teachers SET member_weights = $2 WHERE id = $1', [
        TEACHER_ID,
        JSON.stringify(['ab'.repeat(32)]),
      ]);
    await manager.streams.purge(logitStreamName(key), { seq: 11 });
    const { stream } = await waitFor(
      async () => {
        const found = await details(key);
        return found.stream.state === 'failed' && found;
      },
      { what: 'the stream to fail' },
    );
    expect(stream.error).toMatchObject({
      code: 'STREAM.GONE',
      message: expect.stringMatching(/step 0 .*steps 10 to 29 exist.*fidelis stream import/s) as unknown,
      details: { firstStep: 10, endStep: 30, weights: ['ab'.repeat(32)] },
    });
    // What is there is kept.
    expect((await details(key)).firstStep).toBe(10);
    await release('r-gone');
    await teacher
      .get(DataSource)
      .query('UPDATE teachers SET member_weights = $2 WHERE id = $1', [
        TEACHER_ID,
        JSON.stringify([weights]),
      ]);
  });
});
