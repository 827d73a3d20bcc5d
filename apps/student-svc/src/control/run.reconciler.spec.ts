import {
  FidelisError,
  metricsRpc,
  streamRpc,
  teacherRpc,
  type RunPosition,
  type StreamRecord,
} from '@fidelis/contracts';
import type { JobQueue, RpcClient, RunPositions } from '@fidelis/bus';
import { MetricsRegistry, type Logger } from '@fidelis/observability';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, completed, dataset, runOf, streamOf, teacherOf } from '../../fixtures/records.js';
import type { RunRow } from './run.entity.js';
import { RunReconciler } from './run.reconciler.js';
import type { RunChange, RunRepository } from './run.repository.js';
import * as transitions from './run-transitions.js';

const position: RunPosition = {
  token: 1,
  worker: 'gone',
  attempts: 1,
  trainedStep: 4,
  checkpointStep: -1,
  checkpoint: null,
  result: null,
};

describe('RunReconciler', () => {
  let row: RunRow;
  let queued: string[];
  let cancels: string[];
  /** Thrown by the next read of the position. */
  let outage: Error | undefined;
  let found: RunPosition | undefined;
  /** False: it was removed. */
  let exists: boolean;
  let answers: Map<string, (request: unknown) => unknown>;
  let released: string[];
  let errors: object[];
  let archived: string[];
  let metrics: MetricsRegistry;
  let sut: RunReconciler;

  beforeEach(() => {
    row = runOf();
    queued = [];
    cancels = [];
    outage = undefined;
    found = undefined;
    exists = true;
    released = [];
    errors = [];
    archived = [];
    metrics = new MetricsRegistry('student-svc', '0');
    answers = new Map<string, (request: unknown) => unknown>([
      [teacherRpc.ensure.subject, () => teacherOf()],
      [metricsRpc.evaluations.subject, () => ({ evaluations: [] })],
      [streamRpc.release.subject, (request) => void released.push((request as { runId: string }).runId)],
    ]);
    const rpc = {
      call: async ({ subject }: { subject: string }, request: unknown) => answers.get(subject)?.(request),
    };
    const logger = {
      warn: () => undefined,
      error: (fields: object) => errors.push(fields),
    };
    const runs = {
      change: async (_: string, apply: (current: RunRow) => RunChange) => {
        if (!exists) return undefined;
        apply(row);
        return row;
      },
    };
    const positions = {
      read: async () => {
        if (outage !== undefined) throw outage;
        return found === undefined ? undefined : { position: found, revision: 1 };
      },
      requestCancel: async (id: string) => {
        cancels.push(`${id} while ${row.state}`);
      },
    };
    const jobs = {
      enqueue: async (_: unknown, __: unknown, id: string) => {
        queued.push(id);
        return 'queued';
      },
    };
    sut = new RunReconciler(
      runs as unknown as RunRepository,
      rpc as unknown as RpcClient,
      jobs as unknown as JobQueue,
      positions as unknown as RunPositions,
      { ensure: async ({ digest }) => void archived.push(digest) },
      metrics,
      logger as unknown as Logger,
    );
  });

  function training(): void {
    transitions.teacherReported(row, teacherOf(), at(1));
    transitions.streamOpened(row, streamOf(), at(2));
    transitions.trainingStarted(row, 1, at(3));
    found = position;
  }

  it.each([
    ['a connection that was cut', Object.assign(new Error('terminating connection'), { code: '57P01' })],
    ['a database that is away', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['a bus that is away', new FidelisError('BUS.UNAVAILABLE', 'NATS does not answer')],
  ])('does not fail a run for %s', async (_, error) => {
    training();
    outage = error;
    await sut.reconcile(row);
    expect(row).toMatchObject({ state: 'training', error: null });
    outage = undefined;
    await sut.reconcile(row);
    expect(queued).toEqual([row.id]);
  });

  it('tells the worker to stop before it ends a run that cannot go on', async () => {
    training();
    outage = new FidelisError('DATASET.MISMATCH', 'other data');
    await sut.reconcile(row);
    expect(row).toMatchObject({ state: 'failed', error: { code: 'DATASET.MISMATCH' } });
    expect(cancels).toEqual([`${row.id} while training`]);
  });

  it('queues a cancelled training again whose worker and job are lost, for whoever can say that it has ended', async () => {
    training();
    row.plan = { ...row.plan, cancelRequested: true };
    await sut.reconcile(row);
    expect(row.state).toBe('training');
    expect(cancels).toEqual([`${row.id} while training`]);
    expect(queued).toEqual([row.id]);
  });

  describe('a stream that is opened while its run ends', () => {
    const opening = (meanwhile: () => void): void => {
      row.lineage = { ...row.lineage, dataset };
      answers.set(streamRpc.open.subject, () => {
        meanwhile();
        return streamOf();
      });
    };

    it('is released, although the run was released before', async () => {
      opening(() => {
        transitions.cancelled(row, at(2));
        row.released = true;
      });
      await sut.reconcile(row);
      expect(row).toMatchObject({ state: 'cancelled', released: false });
      expect(queued).toEqual([]);
      await sut.reconcile(row);
      expect(released).toEqual([row.id]);
      expect(row.released).toBe(true);
    });

    it('is released at once where the run was removed', async () => {
      opening(() => (exists = false));
      await sut.reconcile(row);
      expect(released).toEqual([row.id]);
    });
  });

  it('counts of a stream that others made longer only the steps that the run reads', async () => {
    row.lineage = { ...row.lineage, dataset };
    answers.set(streamRpc.open.subject, (request) => {
      expect(request).toMatchObject({ steps: 59 });
      return streamOf({ state: 'complete', steps: 118, publishedSteps: 118 });
    });
    await sut.reconcile(row);
    expect(row).toMatchObject({
      state: 'queued',
      frames: { published: 59 },
      plan: { stream: { steps: 59 } },
    });
  });

  it('stores the datasets of a run before anything is asked for that needs them', async () => {
    const seen: (readonly string[])[] = [];
    answers.set(teacherRpc.ensure.subject, () => {
      seen.push([...archived]);
      return teacherOf({ state: 'training', weightsDigest: null, readyAt: null });
    });
    const other = { name: 'other', digest: '0e'.repeat(32) };
    row.plan = { ...row.plan, others: [other] };
    await sut.reconcile(row);
    expect(seen).toEqual([[dataset.digest, other.digest]]);
  });

  it('keeps a run among the unreleased until its streams have heard', async () => {
    transitions.cancelled(row, at(2));
    answers.set(streamRpc.release.subject, () => {
      throw new FidelisError('BUS.UNAVAILABLE', 'nobody answers');
    });
    await sut.reconcile(row);
    expect(row).toMatchObject({ state: 'cancelled', released: false });
    answers.set(streamRpc.release.subject, () => ({}));
    await sut.reconcile(row);
    expect(row.released).toBe(true);
  });

  describe('the account of a run', () => {
    const counted = (): string | undefined => /^fidelis_accounting_open_total (.*)$/m.exec(metricsText)?.[1];
    let metricsText = '';
    const settle = async (framesTrained: number): Promise<void> => {
      training();
      const result = { ...completed, framesTrained };
      transitions.trainingFinished(row, 1, result, at(9));
      answers.set(streamRpc.get.subject, () => ({
        stream: streamOf({ state: 'complete', publishedSteps: 59 }),
      }));
      await sut.reconcile(row);
      await sut.reconcile(row);
      metricsText = await metrics.scrape();
    };

    it('that does not close is in its record, counted once, and told at the level of errors', async () => {
      await settle(58);
      expect(row.frames).toEqual({ published: 59, consumed: 59, trained: 58, closed: false });
      expect(counted()).toBe('1');
      expect(errors).toEqual([{ frames: row.frames, framesNeeded: 59, streamKey: streamOf().key }]);
    });

    it('that closes is no alarm', async () => {
      await settle(59);
      expect(row.frames).toEqual({ published: 59, consumed: 59, trained: 59, closed: true });
      expect(counted()).toBe('0');
      expect(errors).toEqual([]);
    });
  });
});

describe('a stream that fails', () => {
  const failing: Partial<StreamRecord> = {
    state: 'failed',
    error: { code: 'STREAM.QUOTA', message: 'no room', retryable: true },
  };

  it('ends a run that needs more of it', () => {
    const row = runOf();
    transitions.streamOpened(row, streamOf(), at(2));
    expect(transitions.endsWithStream(row, streamOf({ ...failing, publishedSteps: 58 }))).toBe(true);
  });

  it('ends a run that needs a frame again which is gone for good, however many were published', () => {
    const row = runOf();
    const gone = { code: 'STREAM.GONE', message: 'step 3 is gone', retryable: false } as const;
    transitions.streamOpened(row, streamOf({ publishedSteps: 59, state: 'complete' }), at(2));
    transitions.streamReported(row, streamOf({ ...failing, error: gone, publishedSteps: 59 }), at(3));
    expect(row).toMatchObject({ state: 'failed', error: gone });
  });

  it('does no harm to a run that has all its frames: another one wanted more', () => {
    const row = runOf();
    transitions.streamOpened(row, streamOf({ publishedSteps: 59, state: 'complete' }), at(2));
    transitions.streamReported(row, streamOf({ ...failing, steps: 118, publishedSteps: 70 }), at(3));
    expect(row).toMatchObject({ state: 'queued', error: null });
  });
});
