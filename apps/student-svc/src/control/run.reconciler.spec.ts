import { FidelisError, type RunPosition, type StreamRecord } from '@fidelis/contracts';
import type { JobQueue, RpcClient, RunPositions } from '@fidelis/bus';
import { createLogger, MetricsRegistry } from '@fidelis/observability';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, runOf, streamOf, teacherOf } from '../../fixtures/records.js';
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
  let sut: RunReconciler;
  const metrics = new MetricsRegistry('student-svc', '0');

  beforeEach(() => {
    row = runOf();
    queued = [];
    cancels = [];
    outage = undefined;
    found = undefined;
    const runs = {
      change: async (_: string, apply: (current: RunRow) => RunChange) => {
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
      {} as RpcClient,
      jobs as unknown as JobQueue,
      positions as unknown as RunPositions,
      metrics,
      createLogger({ service: 'student-svc', level: 'fatal' }),
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

  it('does no harm to a run that has all its frames: another one wanted more', () => {
    const row = runOf();
    transitions.streamOpened(row, streamOf({ publishedSteps: 59, state: 'complete' }), at(2));
    transitions.streamReported(row, streamOf({ ...failing, steps: 118, publishedSteps: 70 }), at(3));
    expect(row).toMatchObject({ state: 'queued', error: null });
  });
});
