import { logitStreamName, streamRpc, type RunPosition, type StreamRecord } from '@fidelis/contracts';
import { LogitLog, RunPositions } from '@fidelis/bus';
import { datasetRefOf } from '@fidelis/data';
import { configSchema, createApp, ScoringLoop } from '@fidelis/teacher-svc';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertTeacher, TEACHER_ID } from './teacher-fixture.js';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';

const POSITION: RunPosition = {
  token: 1,
  worker: 'w-1',
  attempts: 0,
  trainedStep: 11,
  checkpointStep: 7,
  checkpoint: null,
  result: null,
};

describe('runs on a stream', () => {
  let servers: Servers;
  let teacher: RunningService;
  let view: Record<string, unknown>;

  beforeAll(async () => {
    servers = await startServers();
    teacher = await startApp(createApp, configSchema, {
      FIDELIS_NATS_URL: servers.natsUrl,
      FIDELIS_DATABASE_URL: servers.databaseUrl,
    });
    // What is looked at here is who reads a stream, not what is in it.
    await teacher.get(ScoringLoop).stop();
    const dataset = await datasetRefOf('mnist');
    await insertTeacher(teacher.get(DataSource), dataset);
    view = { kind: 'sequence', dataset, split: 'train', augmentation: [], seed: 0, batchSize: 128 };
  });
  afterAll(async () => {
    await teacher?.close();
    await servers?.dispose();
  });

  const open = (runId: string, steps: number, seed = 0): Promise<StreamRecord> =>
    teacher.rpc.call(streamRpc.open, {
      teacherId: TEACHER_ID,
      view: { ...view, seed } as never,
      codec: 'f16',
      steps,
      runId,
      correlationId: `c-${runId}`,
    });
  const release = (runId: string): Promise<unknown> => teacher.rpc.call(streamRpc.release, { runId });

  it('are attached to one stream, which grows to what the longest needs', async () => {
    const first = await open('r-1', 20);
    expect(await open('r-2', 50)).toMatchObject({ key: first.key, steps: 50, state: 'opening' });
    expect(await open('r-1', 20)).toMatchObject({ key: first.key, steps: 50 });
    await teacher.get(RunPositions).create('r-2', POSITION);
    expect(await teacher.rpc.call(streamRpc.get, { key: first.key })).toMatchObject({
      stream: { key: first.key, stream: logitStreamName(first.key), incarnation: 0, producers: [] },
      firstStep: 0,
      storedBytes: 0,
      runs: [
        { runId: 'r-1', steps: 20, trainedStep: null, checkpointStep: null },
        { runId: 'r-2', steps: 50, trainedStep: 11, checkpointStep: 7 },
      ],
    });
  });

  it('keep it from being removed until they are released', async () => {
    const { key } = await open('r-3', 20, 3);
    await expect(teacher.rpc.call(streamRpc.remove, { key })).rejects.toMatchObject({
      code: 'STREAM.IN_USE',
      details: { runIds: ['r-3'] },
    });
    expect(await teacher.get(LogitLog).info(key)).toBeDefined();
    await release('r-3');
    await release('r-3');
    expect(await teacher.rpc.call(streamRpc.remove, { key })).toEqual({ key, bytes: 0 });
    expect(await teacher.get(LogitLog).info(key)).toBeUndefined();
    const gone = { code: 'STREAM.NOT_FOUND' };
    await expect(teacher.rpc.call(streamRpc.get, { key })).rejects.toMatchObject(gone);
    await expect(teacher.rpc.call(streamRpc.remove, { key })).rejects.toMatchObject(gone);
  });

  it('are released from all their streams at once', async () => {
    await open('r-4', 20, 4);
    await open('r-4', 20, 5);
    await release('r-4');
    const { streams } = await teacher.rpc.call(streamRpc.list, {});
    expect(streams.flatMap(({ runs }) => runs.map(({ runId }) => runId))).not.toContain('r-4');
  });
});
