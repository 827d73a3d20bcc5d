import { FidelisError } from '@fidelis/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StreamView } from '../gateway/operation-documents.js';
import { CommandFixture, errorOf } from '../testing/command-fixture.js';

const KEY = '0123456789abcdef';
const NOW = '2026-01-31T12:00:05.000Z';
const DIGEST = 'ab'.repeat(32);

function streamOf(changes: Partial<StreamView> = {}): StreamView {
  return {
    key: KEY,
    stream: `FIDELIS_LOGITS_${KEY}`,
    teacherId: 't-0123456789ab',
    teacherDigest: DIGEST,
    view: {
      kind: 'sequence',
      dataset: { name: 'mnist', digest: DIGEST },
      split: 'train',
      subset: { size: 3_000, stratified: true, seed: 0 },
      augmentation: [{ kind: 'random-shift', maxPixels: 2 }],
      seed: 7,
      batchSize: 64,
    },
    codec: 'f16',
    members: 5,
    classes: 10,
    steps: 1_410,
    parts: 1,
    partRows: 64,
    state: 'producing',
    publishedSteps: 940,
    publishedBytes: 6_100_000,
    incarnation: 1,
    waitsFor: 'pace',
    producers: [
      {
        instance: 'teacher-1',
        fingerprint: { backend: 'tensorflow', backendVersion: '2.21.0', threads: 1, platform: 'linux-x64' },
        steps: 940,
        at: NOW,
      },
    ],
    codecError: { rows: 60_160, meanKl: 1.2e-8, maxKl: 3.4e-6, argmaxFlips: 2 },
    teacherSeconds: 12.34,
    error: null,
    firstStep: 94,
    storedBytes: 5_500_000,
    runs: [
      { runId: 'r-first', steps: 1_410, trainedStep: 700, checkpointStep: 657 },
      { runId: 'r-queued', steps: 940, trainedStep: null, checkpointStep: null },
    ],
    createdAt: NOW,
    lastUsedAt: NOW,
    ...changes,
  };
}

const letter = {
  id: '17',
  kind: 'job',
  subject: 'fidelis.v1.jobs.train.cpu.r-1',
  durable: 'trainers-cpu',
  code: 'TRAINING.ATTEMPTS_EXHAUSTED',
  reason: 'r-1 was tried 5 times without reaching a checkpoint',
  deliveries: 6,
  bytes: 900,
  about: 'r-1',
  at: NOW,
};

let fixture: CommandFixture;

beforeEach(async () => {
  fixture = await CommandFixture.create();
});

afterEach(() => fixture.dispose());

describe('streams', () => {
  const usage = { storedBytes: 5_500_000, quotaBytes: 10 * 1_024 ** 3 };

  it('are a table with what is seen, how much is there, and how full the store is', async () => {
    await fixture.startGateway({ ListStreams: () => ({ streams: [streamOf()], streamUsage: usage }) });
    const { status, stdout } = await fixture.run(['streams']);
    expect(status).toBe(0);
    expect(stdout).toContain(
      '0123456789abcdef  producing, ahead of its runs  t-0123456789ab  mnist/train, 3,000 samples, batches of 64, random-shift, seed 7  940/1,410 (from 94)  5.2 MiB     2  2026-01-31 12:00:05',
    );
    expect(stdout).toContain('5.2 MiB stored, of 10.0 GiB');
  });

  it('may be none', async () => {
    await fixture.startGateway({
      ListStreams: () => ({ streams: [], streamUsage: { storedBytes: 0, quotaBytes: null } }),
    });
    expect((await fixture.run(['streams'])).stdout).toBe('no streams (0 B stored, without limit)\n');
    const { stdout } = await fixture.run(['streams', '--json']);
    expect(JSON.parse(stdout)).toEqual({ streams: [], usage: { storedBytes: 0, quotaBytes: null } });
  });

  it('one by one have their producers, and the position of each run', async () => {
    const error = { code: 'STREAM.GONE', message: 'steps 0 to 93 are gone', retryable: false } as const;
    await fixture.startGateway({
      GetStream: () => ({ stream: streamOf({ state: 'failed', waitsFor: null, error }) }),
    });
    const { stdout } = await fixture.run(['streams', KEY]);
    for (const part of [
      /state +failed\n/,
      /5 × 10 logits a row, f16/,
      /teacher-1 +940 +tensorflow 2\.21\.0, linux-x64 +1/,
      /f16 costs +mean KL 1\.2e-8 nats, largest 3\.4e-6, 2 of 60,160 answers changed/,
      /r-first +1,410 +700 +657/,
      /r-queued +940 +– +–/,
      /STREAM\.GONE: steps 0 to 93 are gone/,
    ]) {
      expect(stdout).toMatch(part);
    }
    expect(fixture.gateway?.requests[0]?.variables).toEqual({ key: KEY });
  });

  it('that are unknown, or in use, end with 2', async () => {
    await fixture.startGateway({
      GetStream: () => {
        throw new FidelisError('STREAM.NOT_FOUND', 'there is no logit stream');
      },
      RemoveStream: () => {
        throw new FidelisError('STREAM.IN_USE', 'r-1 reads it');
      },
    });
    const unknown = await fixture.run(['streams', 'ffffffffffffffff', '--json']);
    expect([unknown.status, errorOf(unknown).code]).toEqual([2, 'STREAM.NOT_FOUND']);
    const used = await fixture.run(['stream', 'rm', KEY, '--json']);
    expect([used.status, errorOf(used).code]).toEqual([2, 'STREAM.IN_USE']);
  });

  it('can be removed', async () => {
    await fixture.startGateway({ RemoveStream: () => ({ removeStream: { key: KEY, bytes: 1_048_576 } }) });
    expect((await fixture.run(['stream', 'rm', KEY])).stdout).toBe(
      `stream ${KEY} is removed: 1.0 MiB are free\n`,
    );
  });
});

describe('jobs', () => {
  const job = {
    id: 'r-1',
    kind: 'student',
    placement: 'cpu',
    state: 'running',
    worker: 'worker-1',
    attempts: 2,
    trainedStep: 480,
    checkpointStep: -1,
    queuedAt: NOW,
    problem: null,
  };

  it('that are none are told of beside the others', async () => {
    const broken = {
      ...job,
      id: 'r-2',
      kind: 'unknown',
      state: 'waiting',
      worker: null,
      problem: 'seed: expected a number',
    };
    await fixture.startGateway({ ListJobs: () => ({ jobs: { jobs: [job, broken], queues: [] } }) });
    const { stdout } = await fixture.run(['jobs']);
    expect(stdout).toMatch(/r-1 +student/);
    expect(stdout).toMatch(/r-2 +unknown/);
    expect(stdout).toContain('malformed: r-2: seed: expected a number');
  });

  it('are a table with who is at work on them, and what waits', async () => {
    const queues = [{ placement: 'gpu', waiting: 3, running: 0 }];
    await fixture.startGateway({ ListJobs: () => ({ jobs: { jobs: [job], queues } }) });
    const { stdout } = await fixture.run(['jobs']);
    expect(stdout).toMatch(/r-1 +student +cpu +running +worker-1 +2 +480 +– +2026-01-31 12:00:05/);
    expect(stdout).toContain('gpu: 3 waiting, 0 in hand');
  });

  it('that were set aside are listed with the reason', async () => {
    await fixture.startGateway({
      ListDeadLetters: () => ({ deadLetters: { letters: [letter], hasMore: true, total: 9 } }),
    });
    const { stdout } = await fixture.run(['jobs', '--dead', '--limit', '1']);
    expect(stdout).toMatch(
      /17 +job +r-1 +6 +2026-01-31 12:00:05 +TRAINING\.ATTEMPTS_EXHAUSTED: r-1 was tried/,
    );
    expect(stdout).toContain('… 1 of 9');
    expect(fixture.gateway?.requests[0]?.variables).toEqual({ first: 1, after: null });
  });

  it.each([
    ['redrive', 'RedriveDeadLetter', 'redriveDeadLetter', 'is being handled again'],
    ['discard', 'DiscardDeadLetter', 'discardDeadLetter', 'is thrown away'],
  ])('that were set aside: %s', async (verb, operation, field, said) => {
    await fixture.startGateway({ [operation]: () => ({ [field]: letter }) });
    const { status, stdout } = await fixture.run(['jobs', verb, '17']);
    expect([status, stdout]).toEqual([0, `job of r-1 ${said}\n`]);
    expect(fixture.gateway?.requests[0]?.variables).toEqual({ id: '17' });
  });

  it('that were not set aside end with 2', async () => {
    await fixture.startGateway({
      RedriveDeadLetter: () => {
        throw new FidelisError('DEADLETTER.NOT_FOUND', 'there is no dead letter 99');
      },
    });
    expect((await fixture.run(['jobs', 'redrive', '99'])).status).toBe(2);
  });
});

describe('what is left over', () => {
  it('runs are removed one after another; the first that cannot be ends it', async () => {
    await fixture.startGateway({
      RemoveRun: ({ id }) => {
        if (id === 'r-live') throw new FidelisError('RUN.NOT_ENDED', 'run r-live is training');
        return { removeRun: id };
      },
    });
    const all = await fixture.run(['rm', 'r-1', 'r-2', '--json']);
    expect(JSON.parse(all.stdout)).toEqual({ removed: ['r-1', 'r-2'] });
    const some = await fixture.run(['rm', 'r-1', 'r-live', 'r-2']);
    expect(some.status).toBe(2);
    expect(some.stderr).toMatch(/run r-1 is removed[^]*RUN\.NOT_ENDED/);
    expect(fixture.gateway?.requests.map(({ variables }) => variables['id'])).toEqual([
      'r-1',
      'r-2',
      'r-1',
      'r-live',
    ]);
  });

  const garbage = {
    streams: [{ key: KEY, bytes: 2_097_152 }],
    artifacts: [{ digest: DIGEST, bytes: 1_048_576 }],
    positions: ['r-1'],
    bytes: 3_145_728,
  };

  it('garbage is only shown until one says --yes', async () => {
    await fixture.startGateway({
      CollectGarbage: ({ dryRun }) => ({ collectGarbage: { ...garbage, removed: dryRun === false } }),
    });
    const shown = await fixture.run(['gc']);
    expect(shown.stdout).toBe(
      `stream    ${KEY}  2.0 MiB\nartifacts 1, 1.0 MiB\npositions 1\n3.0 MiB could be free: add --yes to remove this\n`,
    );
    const removed = await fixture.run(['gc', '--yes', '--older-than', '2d']);
    expect(removed.stdout).toContain('removed: 3.0 MiB are free');
    expect(fixture.gateway?.requests.map(({ variables }) => variables)).toEqual([
      { dryRun: true, olderThanSeconds: 3_600 },
      { dryRun: false, olderThanSeconds: 172_800 },
    ]);
  });

  it('may be nothing', async () => {
    const collectGarbage = { streams: [], artifacts: [], positions: [], bytes: 0, removed: false };
    await fixture.startGateway({ CollectGarbage: () => ({ collectGarbage }) });
    expect((await fixture.run(['gc'])).stdout).toBe('nothing is left over\n');
  });

  it.each(['1', '1w', '-1h', '1.5h'])('an age of %s is refused', async (age) => {
    expect((await fixture.run(['gc', '--older-than', age])).status).toBe(2);
  });
});
