import {
  DeadLetterQueue,
  ensureTopology,
  JobQueue,
  OnJob,
  type MessageContext,
  type NatsConnection,
} from '@fidelis/bus';
import { defineJob, FidelisError, jobSubject, STREAMS, type DeadLetter } from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { jetstream } from '@nats-io/jetstream';
import { Controller, type Type } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectTo, deadLetterOf, startService, storedMessages, type TestService } from './bus-fixture.js';

const work = defineJob('work', z.strictObject({ id: z.string() }));
const ACK_WAIT_MS = 1_000;

interface Attempt {
  readonly worker: string;
  readonly id: string;
  readonly context: MessageContext;
  finish(): void;
  fail(error: unknown): void;
}
const attempts: Attempt[] = [];

/** A worker whose handlers wait until the test decides how they end. */
function workerNamed(worker: string): Type {
  @Controller()
  class Worker {
    @OnJob(work, { durable: 'worker', ackWaitMs: ACK_WAIT_MS, backoffMs: [100] })
    on({ id }: { id: string }, context: MessageContext): Promise<void> {
      return new Promise((finish, fail) => {
        attempts.push({ worker, id, context, finish, fail });
      });
    }
  }
  return Worker;
}

describe('jobs', () => {
  let nats: TestNats;
  let outside: NatsConnection;
  let queue: JobQueue;
  let letterbox: DeadLetterQueue;
  const services: TestService[] = [];
  const start = async (name: string): Promise<TestService> => {
    const service = await startService(nats.url, [workerNamed(name)], { drainGraceMs: 300 });
    services.push(service);
    return service;
  };
  const attempt = (id: string, count: number): Promise<Attempt> =>
    waitFor(
      () => {
        const ofJob = attempts.filter((one) => one.id === id);
        return ofJob.length >= count ? ofJob[count - 1] : undefined;
      },
      { what: `attempt ${count} of ${id}` },
    );
  const queueEmpty = (): Promise<boolean> =>
    waitFor(async () => (await storedMessages(outside, STREAMS.jobs.name)) === 0, { what: 'an empty queue' });

  beforeAll(async () => {
    nats = await startTestNats();
    outside = await connectTo(nats.url);
    queue = new JobQueue(outside);
    letterbox = new DeadLetterQueue(outside);
  });
  beforeEach(() => {
    attempts.length = 0;
  });
  afterEach(async () => {
    for (const { finish } of attempts) finish();
    await Promise.all(services.splice(0).map((service) => service.close()));
  });
  afterAll(async () => {
    await outside?.close();
    await nats?.dispose();
  });

  it('go to exactly one worker each, one at a time, and leave the queue on success', async () => {
    await start('a');
    await start('b');
    for (const id of ['j1', 'j2', 'j3']) expect(await queue.enqueue(work, 'cpu', id, { id })).toBe('queued');
    await waitFor(() => attempts.length === 2, { what: 'both workers at work' });
    expect(new Set(attempts.map(({ worker }) => worker)).size).toBe(2);
    expect(await storedMessages(outside, STREAMS.jobs.name)).toBe(3);
    attempts[0]?.finish();
    const third = await waitFor(() => attempts[2], { what: 'the third job' });
    expect(third.worker).toBe(attempts[0]?.worker);
    attempts[1]?.finish();
    third.finish();
    await queueEmpty();
    expect(attempts.map(({ id }) => id).sort()).toEqual(['j1', 'j2', 'j3']);
  });

  it('are queued once per id, while they wait and while they are worked on', async () => {
    expect(await queue.enqueue(work, 'cpu', 'once', { id: 'once' })).toBe('queued');
    expect(await queue.enqueue(work, 'cpu', 'once', { id: 'once' })).toBe('already-queued');
    await start('a');
    (await attempt('once', 1)).context.working();
    expect(await queue.enqueue(work, 'cpu', 'once', { id: 'once' })).toBe('already-queued');
    (await attempt('once', 1)).finish();
    await queueEmpty();
    expect(await queue.enqueue(work, 'cpu', 'once', { id: 'once' })).toBe('queued');
    (await attempt('once', 2)).finish();
    await queueEmpty();
  });

  it('stay with their newer owner when an older one says that it has lost them', async () => {
    await start('slow');
    await queue.enqueue(work, 'cpu', 'stolen', { id: 'stolen' });
    const older = await attempt('stolen', 1);
    await start('newer');
    // Nobody says that the first one works: its time passes, and the job goes to the other.
    const newer = await attempt('stolen', 2);
    const working = setInterval(() => newer.context.working(), ACK_WAIT_MS / 4);
    newer.context.working();
    older.fail(new FidelisError('RUN.LEASE_LOST', 'another worker has it'));
    await queue.enqueue(work, 'cpu', 'next', { id: 'next' });
    expect((await attempt('next', 1)).worker).toBe(older.worker);
    // The queue would take a second job of this id if the first had been acknowledged, or set aside.
    expect(await queue.enqueue(work, 'cpu', 'stolen', { id: 'stolen' })).toBe('already-queued');
    expect(attempts.filter(({ id }) => id === 'stolen')).toHaveLength(2);
    clearInterval(working);
    newer.finish();
    (await attempt('next', 1)).finish();
    await queueEmpty();
  });

  it('of another placement are left alone', async () => {
    await start('cpu-worker');
    await queue.enqueue(work, 'gpu', 'for-gpu', { id: 'for-gpu' });
    await queue.enqueue(work, 'cpu', 'for-cpu', { id: 'for-cpu' });
    (await attempt('for-cpu', 1)).finish();
    await waitFor(async () => (await storedMessages(outside, STREAMS.jobs.name)) === 1, {
      what: 'the done job gone',
    });
    expect(attempts.map(({ id }) => id)).toEqual(['for-cpu']);
    await queue.remove(work, 'gpu', 'for-gpu');
    await queueEmpty();
  });

  it('stay with a worker that reports progress, for longer than ack_wait', async () => {
    await start('a');
    await start('b');
    await queue.enqueue(work, 'cpu', 'long', { id: 'long' });
    const { context, finish } = await attempt('long', 1);
    const startedAt = performance.now();
    await waitFor(
      () => {
        context.working();
        return performance.now() - startedAt > 2.5 * ACK_WAIT_MS;
      },
      { what: 'two and a half times ack_wait', everyMs: 100 },
    );
    expect(attempts).toHaveLength(1);
    finish();
    await queueEmpty();
  });

  it('of a silent worker go to another, with a greater fencing token', async () => {
    await start('a');
    await start('b');
    await queue.enqueue(work, 'cpu', 'silent', { id: 'silent' });
    const first = await attempt('silent', 1);
    const second = await attempt('silent', 2);
    expect(second.worker).not.toBe(first.worker);
    expect(second.context.deliveryCount).toBe(2);
    expect(second.context.fencingToken).toBeGreaterThan(first.context.fencingToken);
    second.finish();
    await queueEmpty();
  });

  it('of a killed worker go to another', async () => {
    const killed = await start('a');
    await queue.enqueue(work, 'cpu', 'orphan', { id: 'orphan' });
    const first = await attempt('orphan', 1);
    await start('b');
    await killed.connection.close();
    const second = await attempt('orphan', 2);
    expect([first.worker, second.worker]).toEqual(['a', 'b']);
    second.finish();
    await queueEmpty();
  });

  it('are given back at once when their worker drains', async () => {
    const draining = await start('a');
    await queue.enqueue(work, 'cpu', 'handed-over', { id: 'handed-over' });
    const first = await attempt('handed-over', 1);
    await start('b');
    first.context.signal.addEventListener('abort', () => first.fail(first.context.signal.reason));
    const startedAt = performance.now();
    const closed = draining.close();
    const second = await attempt('handed-over', 2);
    expect(performance.now() - startedAt).toBeLessThan(ACK_WAIT_MS / 2);
    expect(second.worker).toBe('b');
    second.finish();
    await closed;
    await queueEmpty();
  });

  it('that the handler ended with success while draining are not done again', async () => {
    const draining = await start('a');
    await queue.enqueue(work, 'cpu', 'last', { id: 'last' });
    const { context, finish } = await attempt('last', 1);
    context.signal.addEventListener('abort', () => finish());
    await draining.close();
    await queueEmpty();
    expect(attempts).toHaveLength(1);
  });

  it('are not taken any more by a worker that drains', async () => {
    const draining = await start('a');
    await draining.close();
    await queue.enqueue(work, 'cpu', 'for-others', { id: 'for-others' });
    await start('b');
    const first = await attempt('for-others', 1);
    expect([first.worker, first.context.deliveryCount]).toEqual(['b', 1]);
    first.finish();
    await queueEmpty();
  });

  it('come again after a passing failure, and are set aside after a final one', async () => {
    await start('a');
    await queue.enqueue(work, 'cpu', 'failing', { id: 'failing' });
    (await attempt('failing', 1)).fail(new FidelisError('TRAINING.CHILD_EXITED', 'the child died'));
    (await attempt('failing', 2)).fail(new FidelisError('TRAINING.DIVERGED', 'the loss is NaN'));
    const letter = await deadLetterOf(outside, jobSubject(work, 'cpu', 'failing'));
    expect(letter).toMatchObject({ code: 'TRAINING.DIVERGED', deliveries: '2', stream: STREAMS.jobs.name });
    await queueEmpty();
  });

  it('can be listed with what they are, and counted by placement', async () => {
    await start('a');
    for (const id of ['listed-1', 'listed-2']) await queue.enqueue(work, 'cpu', id, { id });
    await queue.enqueue(work, 'gpu', 'listed-3', { id: 'listed-3' });
    const first = await attempt('listed-1', 1);
    const jobs = await queue.list(work);
    expect(jobs.map(({ id, placement, payload }) => ({ id, placement, payload }))).toEqual([
      { id: 'listed-1', placement: 'cpu', payload: { id: 'listed-1' } },
      { id: 'listed-2', placement: 'cpu', payload: { id: 'listed-2' } },
      { id: 'listed-3', placement: 'gpu', payload: { id: 'listed-3' } },
    ]);
    expect(jobs.map(({ sequence }) => sequence)).toEqual(
      jobs.map(({ sequence }) => sequence).toSorted((a, b) => a - b),
    );
    expect(Date.now() - (jobs[0]?.queuedAt.getTime() ?? 0)).toBeLessThan(60_000);
    expect(await queue.depths(work)).toEqual([
      { placement: 'cpu', waiting: 1, running: 1 },
      { placement: 'gpu', waiting: 1, running: 0 },
    ]);
    first.finish();
    (await attempt('listed-2', 1)).finish();
    await queue.remove(work, 'gpu', 'listed-3');
    await queueEmpty();
  });

  it('are listed although one of them is none, which is listed as such', async () => {
    for (const [id, body] of [
      ['malformed', '{"id": 7}'],
      ['no-json', 'work!'],
    ] as const) {
      await jetstream(outside).publish(jobSubject(work, 'gpu', id), body);
    }
    await queue.enqueue(work, 'gpu', 'sound', { id: 'sound' });
    const jobs = await queue.list(work);
    expect(jobs.map(({ id, payload }) => [id, payload])).toEqual([
      ['malformed', undefined],
      ['no-json', undefined],
      ['sound', { id: 'sound' }],
    ]);
    expect(jobs.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('id'),
      expect.stringMatching(/JSON/),
      undefined,
    ]);
    for (const { id } of jobs) await queue.remove(work, 'gpu', id);
    await queueEmpty();
  });

  describe('that were set aside', () => {
    const setAside = async (id: string): Promise<DeadLetter> => {
      await queue.enqueue(work, 'cpu', id, { id }, { correlationId: `c-${id}` });
      (await attempt(id, 1)).fail(new FidelisError('TRAINING.DIVERGED', `${id} diverged`));
      await queueEmpty();
      const { letters } = await letterbox.list({ first: 1 });
      return letters[0] as DeadLetter;
    };

    it('may be none', async () => {
      const empty = await startTestNats();
      const connection = await connectTo(empty.url);
      await ensureTopology(connection);
      expect(await new DeadLetterQueue(connection).list({ first: 5 })).toEqual({
        letters: [],
        hasMore: false,
        total: 0,
      });
      await connection.close();
      await empty.dispose();
    });

    it('are listed with their reason, newest first, a page at a time', async () => {
      await start('a');
      const older = await setAside('aside-1');
      const newer = await setAside('aside-2');
      expect(newer).toMatchObject({
        kind: 'job',
        subject: jobSubject(work, 'cpu', 'aside-2'),
        durable: 'worker-cpu',
        code: 'TRAINING.DIVERGED',
        reason: 'aside-2 diverged',
        deliveries: 1,
        about: 'aside-2',
      });
      const page = await letterbox.list({ first: 1 });
      expect(page).toMatchObject({ letters: [newer], hasMore: true });
      const next = await letterbox.list({ first: 1, after: newer.id });
      expect(next.letters).toEqual([older]);
      expect(next.total).toBe(page.total);
    });

    it('are worked on again, as they came, when they are sent again', async () => {
      await start('a');
      const letter = await setAside('again');
      expect(await letterbox.redrive(letter.id)).toEqual(letter);
      const second = await attempt('again', 2);
      expect(second.context.correlationId).toBe('c-again');
      second.finish();
      await queueEmpty();
      await expect(letterbox.get(letter.id)).rejects.toMatchObject({ code: 'DEADLETTER.NOT_FOUND' });
      await expect(letterbox.redrive(letter.id)).rejects.toMatchObject({ code: 'DEADLETTER.NOT_FOUND' });
    });

    it('are not doubled where the job is on the queue again', async () => {
      await start('a');
      const letter = await setAside('doubled');
      await queue.enqueue(work, 'cpu', 'doubled', { id: 'doubled' });
      await letterbox.redrive(letter.id);
      (await attempt('doubled', 2)).finish();
      await queueEmpty();
      expect(attempts.filter(({ id }) => id === 'doubled')).toHaveLength(2);
    });

    it('can be thrown away, and what is not there is no dead letter', async () => {
      await start('a');
      const letter = await setAside('rubbish');
      await letterbox.remove(letter.id);
      await letterbox.remove(letter.id);
      for (const id of [letter.id, '0', '999999', 'x']) {
        await expect(letterbox.get(id)).rejects.toMatchObject({ code: 'DEADLETTER.NOT_FOUND' });
      }
    });
  });

  it('are finished and acknowledged although NATS was restarted in between', async () => {
    await start('a');
    await queue.enqueue(work, 'cpu', 'survivor', { id: 'survivor' });
    const { finish } = await attempt('survivor', 1);
    await nats.stop();
    finish();
    await nats.restart();
    await queueEmpty();
    expect(attempts).toHaveLength(1);
    await queue.enqueue(work, 'cpu', 'next', { id: 'next' });
    (await attempt('next', 1)).finish();
    await queueEmpty();
  });

  it('are not lost when NATS is killed right after it has delivered them', async () => {
    await start('a');
    await queue.enqueue(work, 'cpu', 'forgotten', { id: 'forgotten' });
    const first = await attempt('forgotten', 1);
    await nats.kill();
    first.finish();
    await nats.restart();
    // The server may have forgotten the delivery, and then knows nothing of its acknowledgement: the job comes again.
    await waitFor(
      async () => {
        for (const { finish } of attempts) finish();
        return (await storedMessages(outside, STREAMS.jobs.name)) === 0;
      },
      { what: 'an empty queue', deadlineMs: 20_000 },
    );
    expect(attempts.length).toBeLessThanOrEqual(2);
  });

  it('that were removed leave nothing, also if a worker had them', async () => {
    await start('a');
    await queue.enqueue(work, 'cpu', 'removed', { id: 'removed' });
    const { finish } = await attempt('removed', 1);
    await queue.remove(work, 'cpu', 'removed');
    await queueEmpty();
    finish();
    await queue.enqueue(work, 'cpu', 'following', { id: 'following' });
    (await attempt('following', 1)).finish();
    await queueEmpty();
    expect(attempts).toHaveLength(2);
  });
});
