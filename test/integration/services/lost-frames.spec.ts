import { configSchema as metricsConfig, createApp as createMetrics } from '@fidelis/metrics-svc';
import {
  logitStreamName,
  runRpc,
  streamRpc,
  type DatasetRef,
  type ExperimentSpecInput,
  type RunRecord,
} from '@fidelis/contracts';
import { ArtifactStore } from '@fidelis/bus';
import { datasetRefOf } from '@fidelis/data';
import { createModel, encodeWeights, initialWeights } from '@fidelis/models';
import { configSchema as studentConfig, createApp as createStudent } from '@fidelis/student-svc';
import { configSchema as teacherConfig, createApp as createTeacher } from '@fidelis/teacher-svc';
import { waitFor } from '@fidelis/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';
import { insertTeacher, TEACHER_ID } from './teacher-fixture.js';
import { TestWorker } from './worker-fixture.js';

const BATCH = 16;
const EPOCHS = 20;
/** 40 in an epoch. */
const STEPS = 800;
/** Far beyond what the student can have in hand when it is seen to train. */
const LOST_STEP = 700;

/** Teacher, control and metrics in this process, real scoring and training processes. */
describe('a frame that is lost while a student trains', () => {
  let servers: Servers;
  let environment: Record<string, string>;
  let teacher: RunningService;
  let control: RunningService;
  let metrics: RunningService;
  let worker: TestWorker | undefined;
  let dataset: DatasetRef;

  beforeAll(async () => {
    servers = await startServers();
    environment = { FIDELIS_NATS_URL: servers.natsUrl, FIDELIS_DATABASE_URL: servers.databaseUrl };
    [teacher, control, metrics] = await Promise.all([
      startTeacher(),
      startApp(createStudent, studentConfig, { ...environment, FIDELIS_ROLE: 'control' }),
      startApp(createMetrics, metricsConfig, environment),
    ]);
    dataset = await datasetRefOf('mnist');
    const model = createModel({ name: 'lenet5' }, { height: 28, width: 28, channels: 1 }, 10);
    const weights = await teacher.get(ArtifactStore).put(encodeWeights(model, initialWeights(model, 1)));
    await insertTeacher(teacher.get(DataSource), dataset, weights);
  });
  afterAll(async () => {
    await worker?.close();
    await Promise.all([control, metrics, teacher].map((service) => service?.close()));
    await servers?.dispose();
  });

  const startTeacher = (): Promise<RunningService> => startApp(createTeacher, teacherConfig, environment);

  const start = async (name: string): Promise<string> => {
    const spec: ExperimentSpecInput = {
      name,
      dataset: 'mnist',
      teacher: { id: TEACHER_ID },
      view: { kind: 'sequence', subset: { size: 640 } },
      student: {
        ...{ architecture: 'lenet5', epochs: EPOCHS, batchSize: BATCH },
        optimizer: { learningRate: 0.01 },
      },
      evaluation: { sets: ['test'], everyEpochs: 0 },
    };
    return (await control.rpc.call(runRpc.start, { spec, correlationId: `c-${name}` })).id;
  };
  const run = (id: string): Promise<RunRecord> => control.rpc.call(runRpc.get, { id });
  const completed = (id: string): Promise<RunRecord> =>
    waitFor(
      async () => {
        const found = await run(id);
        if (found.state === 'failed') return found;
        return found.state === 'completed' && found;
      },
      { what: `${id} to be completed`, deadlineMs: 80_000 },
    );

  it('is noticed and counted, produced again, and leaves no trace in the student', async () => {
    worker = await TestWorker.start(servers.natsUrl);
    const undisturbed = await completed(await start('undisturbed'));
    const account = { published: STEPS, consumed: STEPS, trained: STEPS, closed: true };
    expect(undisturbed).toMatchObject({ state: 'completed', frames: account });
    expect(await worker.service.sample('fidelis_frames_lost_total')).toBe(0);
    await worker.close();

    const id = await start('disturbed');
    const { streamKey: key } = await waitFor(
      async () => {
        const found = await run(id);
        return found.state === 'queued' && found.lineage;
      },
      { what: 'the job' },
    );
    if (key === null) throw new Error('the run has no stream');
    expect(key).toBe(undisturbed.lineage.streamKey);
    // Nobody mends the log before the student has come to the gap.
    await teacher.close();
    worker = await TestWorker.start(servers.natsUrl);
    const { positions } = worker;
    await waitFor(async () => ((await positions.read(id))?.position.trainedStep ?? -1) > 0, {
      what: 'the training to begin',
    });
    const manager = await jetstreamManager(worker.service.connection);
    await manager.streams.deleteMessage(logitStreamName(key), LOST_STEP + 1);
    const trained = (await positions.read(id))?.position.trainedStep ?? STEPS;
    expect(trained).toBeLessThan(LOST_STEP);
    const lost = worker.service;
    await waitFor(async () => ((await lost.sample('fidelis_frames_lost_total')) ?? 0) > 0, {
      what: 'the loss to be counted',
      deadlineMs: 20_000,
    });
    teacher = await startTeacher();

    const disturbed = await completed(id);
    expect(disturbed).toMatchObject({ state: 'completed', error: null, frames: account });
    expect(disturbed.lineage.weightsDigest).toBe(undisturbed.lineage.weightsDigest);
    expect(disturbed.attempts).toBe(1);
    const { stream } = await teacher.rpc.call(streamRpc.get, { key });
    expect(stream).toMatchObject({ state: 'complete', incarnation: 1, publishedSteps: STEPS });
    expect(await worker.service.sample('fidelis_frames_lost_total')).toBe(1);
    expect(await control.sample('fidelis_accounting_open_total')).toBe(0);
  }, 200_000);
});
