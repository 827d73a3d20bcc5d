import { runRpc } from '@fidelis/contracts';
import { configSchema as studentConfig, createApp as createStudent } from '@fidelis/student-svc';
import { configSchema as teacherConfig, createApp as createTeacher } from '@fidelis/teacher-svc';
import {
  createTestDatabase,
  startTestNats,
  startTestPostgres,
  waitFor,
  type TestNats,
  type TestPostgres,
} from '@fidelis/testing';
import { afterAll, beforeAll, expect, it, describe } from 'vitest';
import { startApp, type RunningService } from './services-fixture.js';

/** What the orchestrator gives a service before it cuts it off is 30 s; the service itself gives up at 25 s. */
const IN_TIME_MS = 20_000;

describe('services that are told to stop while NATS is away', () => {
  let nats: TestNats;
  let postgres: TestPostgres;
  let teacher: RunningService;
  let control: RunningService;

  beforeAll(async () => {
    [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
    const { url } = await createTestDatabase(postgres);
    const environment = { FIDELIS_NATS_URL: nats.url, FIDELIS_DATABASE_URL: url };
    teacher = await startApp(createTeacher, teacherConfig, environment);
    control = await startApp(createStudent, studentConfig, { ...environment, FIDELIS_ROLE: 'control' });
  });
  afterAll(async () => {
    await nats?.dispose();
    await postgres?.dispose();
  });

  it('end in time, although what they were about to publish has nowhere to go', async () => {
    const recipe = { epochs: 3, batchSize: 128, optimizer: { learningRate: 0.01 } };
    const spec = {
      name: 'left-alone',
      dataset: 'mnist',
      teacher: { architecture: 'lenet5', train: { ...recipe, subset: { size: 200 } } },
      student: { architecture: 'lenet5', ...recipe },
    } as const;
    await control.rpc.call(runRpc.start, { spec, correlationId: 'c-test' });
    await nats.kill();
    // That takes a round trip's deadline, and so more than a tick of their loops: they wait for NATS now.
    for (const { url } of [teacher, control]) {
      await waitFor(async () => (await fetch(`${url}/health/ready`)).status === 503, { what: 'not ready' });
    }
    const began = performance.now();
    await Promise.all([teacher.close(), control.close()]);
    expect(performance.now() - began).toBeLessThan(IN_TIME_MS);
  });
});
