import { runRecord, streamDetails, teacherRecord } from '@fidelis/gateway/fixtures';
import { startTestNats, type TestNats } from '@fidelis/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakePlatform, startFakes, type RunningFakes } from './fake-services.js';
import { startGateway, type RunningGateway } from './gateway-harness.js';

const KEY = '0123456789abcdef';

describe('what operators look after', () => {
  const platform = new FakePlatform();
  let nats: TestNats;
  let fakes: RunningFakes;
  let gateway: RunningGateway;

  beforeAll(async () => {
    nats = await startTestNats();
    fakes = await startFakes(nats.url, platform);
    gateway = await startGateway(nats.url);
  });

  afterAll(async () => {
    await gateway?.stop();
    await fakes?.stop();
    await nats?.dispose();
  });

  beforeEach(() => platform.reset());

  const codeOf = async (document: string): Promise<string | undefined> =>
    (await gateway.graphql(document)).errors[0]?.extensions.code;

  it('streams have everything that is known of them, with the runs on them and the position of each', async () => {
    const fingerprint = {
      backend: 'tensorflow',
      backendVersion: '2.21.0',
      threads: 1,
      platform: 'linux-x64',
    };
    const details = {
      ...streamDetails({
        state: 'producing',
        waitsFor: 'pace',
        incarnation: 2,
        producers: [{ instance: 'teacher-1', fingerprint, steps: 40, at: '2026-01-31T12:00:00.000Z' }],
      }),
      runs: [
        { runId: 'r-1', steps: 59, trainedStep: 30, checkpointStep: 10 },
        { runId: 'r-2', steps: 40, trainedStep: null, checkpointStep: null },
      ],
    };
    platform.streams.set(KEY, details);
    platform.teachers.set('t-0123456789ab', teacherRecord());
    const fields = `key stream teacherId teacherDigest view codec members classes steps parts partRows state publishedSteps
      publishedBytes incarnation waitsFor codecError { rows meanKl maxKl argmaxFlips } teacherSeconds error { code } firstStep storedBytes createdAt lastUsedAt
      producers { instance fingerprint { backend backendVersion threads platform } steps at }
      runs { runId steps trainedStep checkpointStep }`;
    const { data, errors } = await gateway.graphql(
      `{ streams { ${fields} teacher { id state } } stream(key: "${KEY}") { ${fields} } streamUsage { storedBytes quotaBytes } }`,
    );
    expect(errors).toEqual([]);
    const { stream, ...now } = details;
    const expected = { ...stream, ...now };
    expect(data).toEqual({
      streams: [{ ...expected, teacher: { id: 't-0123456789ab', state: 'ready' } }],
      stream: expected,
      streamUsage: { storedBytes: 2_000, quotaBytes: null },
    });
  });

  it('streams are removed unless a run reads them', async () => {
    platform.streams.set(KEY, streamDetails());
    const remove = `mutation { removeStream(key: "${KEY}") { key bytes } }`;
    expect((await gateway.graphql(remove)).data).toEqual({ removeStream: { key: KEY, bytes: 1_202_360 } });
    expect(await codeOf(remove)).toBe('STREAM.NOT_FOUND');
    expect(await codeOf(`{ stream(key: "${KEY}") { key } }`)).toBe('STREAM.NOT_FOUND');
    const reader = { runId: 'r-1', steps: 59, trainedStep: null, checkpointStep: null };
    platform.streams.set(KEY, { ...streamDetails(), runs: [reader] });
    expect(await codeOf(remove)).toBe('STREAM.IN_USE');
  });

  it('a key that cannot be one is refused before a service is asked', async () => {
    expect(await codeOf('{ stream(key: "nonsense") { key } }')).toBe('REQUEST.INVALID');
    expect(platform.requests('getStream')).toEqual([]);
  });

  it('jobs are listed, and the queues they wait in', async () => {
    const { data } = await gateway.graphql(
      '{ jobs { jobs { id kind placement state worker attempts trainedStep checkpointStep queuedAt } queues { placement waiting running } } }',
    );
    expect(data).toMatchObject({
      jobs: {
        jobs: [{ id: 'r-1', kind: 'student', state: 'running', worker: 'worker-1', trainedStep: 480 }],
        queues: [{ placement: 'cpu', waiting: 0, running: 1 }],
      },
    });
  });

  it('dead letters are listed a page at a time, worked on again, or thrown away', async () => {
    const { data } = await gateway.graphql(
      '{ deadLetters(first: 3, after: "20") { letters { id kind subject durable code reason deliveries bytes about at } hasMore total } }',
    );
    expect(data).toMatchObject({
      deadLetters: { letters: [{ id: '17', about: 'r-1', deliveries: 6 }], total: 1 },
    });
    expect(platform.requests('deadLetters')).toEqual([{ first: 3, after: '20' }]);
    expect((await gateway.graphql('mutation { redriveDeadLetter(id: "17") { about } }')).data).toEqual({
      redriveDeadLetter: { about: 'r-1' },
    });
    expect((await gateway.graphql('mutation { discardDeadLetter(id: "17") { id } }')).data).toEqual({
      discardDeadLetter: { id: '17' },
    });
    expect(await codeOf('mutation { redriveDeadLetter(id: "99") { id } }')).toBe('DEADLETTER.NOT_FOUND');
    expect(await codeOf('mutation { redriveDeadLetter(id: "x") { id } }')).toBe('REQUEST.INVALID');
    expect(await codeOf('{ deadLetters(first: 500) { total } }')).toBe('REQUEST.INVALID');
  });

  it('a run is removed once it has ended', async () => {
    platform.addRuns(
      runRecord({ id: 'r-live', state: 'training' }),
      runRecord({ id: 'r-done', state: 'completed' }),
    );
    expect(await codeOf('mutation { removeRun(id: "r-live") }')).toBe('RUN.NOT_ENDED');
    expect((await gateway.graphql('mutation { removeRun(id: "r-done") }')).data).toEqual({
      removeRun: 'r-done',
    });
    expect(await codeOf('mutation { removeRun(id: "r-done") }')).toBe('RUN.NOT_FOUND');
  });

  it('garbage is only told of unless one says otherwise', async () => {
    const fields = '{ streams { key bytes } artifacts { digest } positions bytes removed }';
    const { data } = await gateway.graphql(`mutation { collectGarbage ${fields} }`);
    expect(data).toEqual({
      collectGarbage: {
        streams: [{ key: KEY, bytes: 3e9 }],
        artifacts: [],
        positions: ['r-gone'],
        bytes: 3e9,
        removed: false,
      },
    });
    await gateway.graphql(`mutation { collectGarbage(dryRun: false, olderThanSeconds: 5) ${fields} }`);
    expect(platform.requests('collect')).toEqual([
      { dryRun: true, olderThanSeconds: 3_600 },
      { dryRun: false, olderThanSeconds: 5 },
    ]);
  });
});
