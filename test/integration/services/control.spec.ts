import { ArtifactStore, EventPublisher, EventSubscriber, JobQueue, RunPositions } from '@fidelis/bus';
import {
  DEAD_LETTER_HEADERS,
  FidelisError,
  garbageRpc,
  jobRpc,
  jobSubject,
  metricsEvents,
  metricsRpc,
  runEvents,
  runRpc,
  STREAMS,
  SUBJECT_ROOT,
  teacherRpc,
  trainingEvents,
  trainJob,
  type EvaluationRecordInput,
  type EvaluationSet,
  type ExperimentSpecInput,
  type Garbage,
  type RunRecord,
  type RunState,
  type SequenceViewSpec,
  type StreamRecord,
  type TrainingResult,
  streamRpc,
} from '@fidelis/contracts';
import { configSchema as studentConfig, createApp as createStudent } from '@fidelis/student-svc';
import { configSchema as teacherConfig, createApp as createTeacher, ScoringLoop } from '@fidelis/teacher-svc';
import { waitFor } from '@fidelis/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { headers, type Subscription } from '@nats-io/transport-node';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, startServers, type RunningService, type Servers } from './services-fixture.js';

const recipe = { epochs: 3, batchSize: 128, optimizer: { learningRate: 0.01 } };

function specOf(changes: Partial<ExperimentSpecInput> = {}): ExperimentSpecInput {
  return {
    name: 'control-test',
    dataset: 'mnist',
    teacher: { architecture: 'lenet5', train: { ...recipe, subset: { size: 200 } } },
    student: { architecture: 'lenet5', ...recipe },
    ...changes,
  };
}

const execution = { mode: 'eager', reason: 'the wasm backend has no graphs' } as const;
const producer = { backend: 'wasm', backendVersion: '4.22.0', threads: 1, platform: 'linux-x64' };

/** teacher-svc and the control of student-svc, with this test in the place of worker and metrics. */
describe('control and teachers', () => {
  let servers: Servers;
  let teacher: RunningService;
  let control: RunningService;
  let weights: string;

  beforeAll(async () => {
    servers = await startServers();
    const environment = {
      FIDELIS_NATS_URL: servers.natsUrl,
      FIDELIS_DATABASE_URL: servers.databaseUrl,
    };
    [teacher, control] = await Promise.all([
      startApp(createTeacher, teacherConfig, environment),
      startApp(createStudent, studentConfig, { ...environment, FIDELIS_ROLE: 'control' }),
    ]);
    // There are no weights here that could score anything: streams are opened, and stay empty.
    await teacher.get(ScoringLoop).stop();
    weights = await control.get(ArtifactStore).put(new TextEncoder().encode('weights of a test'));
  });
  afterAll(async () => {
    await control.close();
    await teacher.close();
    await servers.dispose();
  });

  const start = (changes: Partial<ExperimentSpecInput> = {}, correlationId = 'c-test'): Promise<RunRecord> =>
    control.rpc.call(runRpc.start, { spec: specOf(changes), correlationId });

  const get = (id: string): Promise<RunRecord> => control.rpc.call(runRpc.get, { id });

  const inState = (id: string, state: RunState): Promise<RunRecord> =>
    waitFor(
      async () => {
        const run = await get(id);
        if (run.state === state) return run;
        throw new Error(`it is ${run.state}: ${JSON.stringify(run.error)}`);
      },
      { what: `${id} to be ${state}` },
    );

  async function codeOf(work: Promise<unknown>): Promise<string> {
    try {
      await work;
    } catch (error) {
      return FidelisError.from(error).code;
    }
    return 'nothing was refused';
  }

  const resultOf = (framesConsumed: number): TrainingResult => ({
    outcome: 'completed',
    weights,
    steps: 1_407,
    finalLoss: 0.3,
    seconds: 1,
    waitSeconds: 0.1,
    imagesPerSecond: 9_000,
    framesConsumed,
    framesTrained: framesConsumed,
    producer,
    execution,
  });

  /** What a worker tells of a training that ended. */
  async function finish(runId: string, kind: 'teacher' | 'student', result: TrainingResult): Promise<void> {
    await control
      .get(EventPublisher)
      .publish(
        trainingEvents.finished,
        runId,
        { runId, kind, token: 1, result, at: new Date().toISOString() },
        { correlationId: 'c-test' },
      );
  }

  /** A run whose teacher is ready and whose student waits for a worker. */
  async function queuedRun(seed: number): Promise<RunRecord> {
    const { id } = await start({ seed });
    await finish(await teacherOf(id), 'teacher', resultOf(0));
    return inState(id, 'queued');
  }

  /** metrics-svc, as far as a removal needs it. */
  function startMetrics(forgotten: string[]): Subscription {
    return control.connection.subscribe(metricsRpc.removeRun.subject, {
      callback: (_, message) => {
        forgotten.push(message.json<{ runId: string }>().runId);
        message.respond('{}');
      },
    });
  }

  /** What a worker does with a job that ends whoever takes it. */
  async function setAside(runId: string): Promise<void> {
    const letter = headers();
    letter.set(DEAD_LETTER_HEADERS.code, 'TRAINING.ATTEMPTS_EXHAUSTED');
    letter.set(DEAD_LETTER_HEADERS.reason, 'tried 5 times');
    letter.set(DEAD_LETTER_HEADERS.subject, jobSubject(trainJob, 'cpu', runId));
    letter.set(DEAD_LETTER_HEADERS.deliveries, '6');
    await jetstream(control.connection).publish(`${SUBJECT_ROOT}.dead.job.trainers-cpu`, '{}', {
      headers: letter,
    });
  }

  /** What the teacher says that it has stored. */
  async function published(key: string | null, steps: number): Promise<void> {
    const client = new Client({ connectionString: servers.databaseUrl });
    await client.connect();
    await client.query(`UPDATE teacher.streams SET published_steps = $2, state = 'complete' WHERE key = $1`, [
      key,
      steps,
    ]);
    await client.end();
  }

  const runsOn = async (key: string | null): Promise<string[]> => {
    const { runs } = await teacher.rpc.call(streamRpc.get, { key: key ?? '' });
    return runs.map(({ runId }) => runId);
  };

  const teacherOf = (id: string): Promise<string> =>
    waitFor(async () => (await get(id)).lineage.teacherId, { what: `the teacher of ${id}` });

  async function jobsOf(id: string): Promise<number> {
    const manager = await jetstreamManager(control.connection);
    const { state } = await manager.streams.info(STREAMS.jobs.name, { subjects_filter: '>' });
    return Object.entries(state.subjects ?? {})
      .filter(([subject]) => subject.endsWith(`.${id}`))
      .reduce((sum, [, count]) => sum + count, 0);
  }

  async function evaluate(run: RunRecord, set: EvaluationSet): Promise<void> {
    const figures = { accuracy: 0.9, nll: 0.3, ece: 0.02 };
    // As metrics-svc said it before it had more figures: events outlive an upgrade.
    const evaluation: EvaluationRecordInput = {
      id: `${run.id}.${set}.1407`,
      runId: run.id,
      teacherId: run.lineage.teacherId ?? '',
      set,
      step: 1_407,
      epoch: 3,
      final: true,
      n: 10_000,
      classes: 10,
      bins: 15,
      convention: 'torchmetrics',
      fidelity: { top1Agreement: 0.97, predictiveKl: 0.04 },
      teacher: figures,
      student: figures,
      createdAt: new Date().toISOString(),
    };
    await control
      .get(EventPublisher)
      .publish(metricsEvents.evaluated, run.id, evaluation, { correlationId: 'c-test' });
  }

  describe('bad input', () => {
    it('is refused with its code', async () => {
      expect(await codeOf(teacher.rpc.call(teacherRpc.get, { id: 't-000000000000' }))).toBe(
        'TEACHER.NOT_FOUND',
      );
      const ensure = { kind: 'id', id: 't-000000000000', correlationId: 'c-test' } as const;
      expect(await codeOf(teacher.rpc.call(teacherRpc.ensure, ensure))).toBe('TEACHER.NOT_FOUND');
      expect(await codeOf(teacher.rpc.call(streamRpc.get, { key: '0'.repeat(16) }))).toBe('STREAM.NOT_FOUND');
      expect(await codeOf(start({ dataset: 'mnits' }))).toBe('DATASET.UNKNOWN');
      expect(await codeOf(start({ view: { kind: 'table', subset: { size: 70_000 } } }))).toBe('SPEC.INVALID');
      expect(await codeOf(get('r-nobody'))).toBe('RUN.NOT_FOUND');
    });

    it('names the nearest dataset', async () => {
      await expect(start({ dataset: 'mnits' })).rejects.toThrow(/Did you mean "mnist"/);
    });

    it.each<[string, string, Partial<ExperimentSpecInput>]>([
      ['TEACHER.NOT_FOUND', 'teacher.id', { teacher: { id: 't-000000000000' } }],
      ['DATASET.UNKNOWN', 'dataset', { dataset: 'mnits' }],
      ['DATASET.UNKNOWN', 'view.append.dataset', { view: { kind: 'sequence', append: { dataset: 'svhn' } } }],
      ['SPEC.INVALID', 'view.subset.size', { view: { kind: 'table', subset: { size: 5 } } }],
      [
        'SPEC.INVALID',
        'student.schedule.warmUpEpochs',
        { student: { architecture: 'lenet5', ...recipe, schedule: { warmUpEpochs: 4 } } },
      ],
    ])('with %s and the field %s', async (code, field, changes) => {
      await expect(start(changes)).rejects.toMatchObject({
        code,
        details: { issues: [{ field }] },
      });
    });

    it('leaves no run behind', async () => {
      const { total } = await control.rpc.call(runRpc.list, { first: 10 });
      expect(total).toBe(0);
    });
  });

  it('a run goes from its spec to its end with what others report', async () => {
    const followed = control.get(EventSubscriber).subscribe(runEvents.changed, '*');
    const states: RunState[] = [];
    const listening = (async () => {
      for await (const { payload } of followed) {
        if (states.at(-1) !== payload.state) states.push(payload.state);
      }
    })();
    await control.connection.flush();

    const queued = await queuedRun(1);
    expect(await jobsOf(queued.lineage.teacherId ?? '')).toBe(1);
    await waitFor(async () => (await jobsOf(queued.id)) === 1, { what: 'the job of the student' });
    const stream = await teacher.rpc.call(streamRpc.get, { key: queued.lineage.streamKey ?? '' });
    expect(stream.stream).toMatchObject({ steps: 59, codec: 'f16', teacherId: queued.lineage.teacherId });

    const { id } = queued;
    await control
      .get(EventPublisher)
      .publish(
        trainingEvents.started,
        id,
        { runId: id, token: 1, worker: 'w', attempt: 1, at: new Date().toISOString() },
        { correlationId: 'c-test' },
      );
    await inState(id, 'training');
    await finish(id, 'student', { ...resultOf(59), framesNeeded: 59 } as TrainingResult);
    const evaluating = await inState(id, 'evaluating');
    expect(evaluating.lineage).toMatchObject({ weightsDigest: weights, producer, execution });
    const trained = await teacher.rpc.call(teacherRpc.get, { id: queued.lineage.teacherId ?? '' });
    expect(trained.execution).toEqual(execution);
    await evaluate(evaluating, 'test');
    await evaluate(evaluating, 'train-clean');
    // Its account is open until the teacher has counted.
    expect(await runsOn(queued.lineage.streamKey)).toContain(id);
    await published(queued.lineage.streamKey, 59);
    const run = await inState(id, 'completed');
    await waitFor(async () => !(await runsOn(queued.lineage.streamKey)).includes(id), {
      what: 'its release',
    });
    expect(run).toMatchObject({
      attempts: 1,
      frames: { published: 59, consumed: 59, trained: 59, closed: true },
      error: null,
    });
    await waitFor(() => states.at(-1) === 'completed', { what: 'the event of its end' });
    followed.close();
    await listening;
    expect(states).toEqual(['preparing', 'queued', 'training', 'evaluating', 'completed']);
    expect(await codeOf(control.rpc.call(runRpc.cancel, { id }))).toBe('RUN.ALREADY_ENDED');
  });

  it('a result that was only written, and never told, is found', async () => {
    const { id } = await queuedRun(2);
    await control.get(RunPositions).create(id, {
      token: 3,
      worker: 'gone',
      attempts: 1,
      trainedStep: 1_406,
      checkpointStep: 1_406,
      checkpoint: null,
      result: resultOf(59),
    });
    const run = await inState(id, 'evaluating');
    expect(run.lineage.weightsDigest).toBe(weights);
  });

  it('a teacher that failed fails its run, and is trained again for the next one', async () => {
    const { id } = await start({ seed: 6 }, 'c-first');
    const teacherId = await teacherOf(id);
    const error = { code: 'TRAINING.DIVERGED', message: 'the loss is NaN', retryable: false } as const;
    await finish(teacherId, 'teacher', { outcome: 'failed', error });
    const failed = await inState(id, 'failed');
    expect(failed.error).toMatchObject({
      code: 'TEACHER.FAILED',
      message: expect.stringContaining('the loss is NaN') as unknown,
    });
    expect(await teacher.rpc.call(teacherRpc.get, { id: teacherId })).toMatchObject({
      state: 'failed',
      error,
    });

    const { id: next } = await start({ seed: 6 }, 'c-second');
    expect(await teacherOf(next)).toBe(teacherId);
    await waitFor(
      async () => (await teacher.rpc.call(teacherRpc.get, { id: teacherId })).state === 'training',
      { what: 'the second training' },
    );
    expect((await get(next)).state).toBe('preparing');
  });

  it('predictions that cannot be scored fail the run', async () => {
    const { id } = await queuedRun(7);
    await finish(id, 'student', resultOf(59));
    await inState(id, 'evaluating');
    const error = { code: 'STREAM.MISALIGNED', message: 'other inputs', retryable: false } as const;
    await control
      .get(EventPublisher)
      .publish(
        metricsEvents.failed,
        id,
        { runId: id, set: 'test', step: 1_407, error },
        { correlationId: 'c-test' },
      );
    expect((await inState(id, 'failed')).error).toMatchObject({
      code: 'STREAM.MISALIGNED',
      message: 'the predictions on test could not be scored: other inputs',
    });
  });

  it('a stream is opened once, extended by who wants more, and never cut', async () => {
    const { lineage } = await queuedRun(8);
    const view: SequenceViewSpec = {
      kind: 'sequence',
      dataset: lineage.dataset,
      split: 'train',
      augmentation: [],
      seed: 0,
      batchSize: 128,
    };
    const request = {
      teacherId: lineage.teacherId ?? '',
      view,
      codec: 'f16' as const,
      runId: 'r-reader',
      correlationId: 'c-test',
    };
    const open = (steps: number): Promise<StreamRecord> =>
      teacher.rpc.call(streamRpc.open, { ...request, steps });
    const first = await open(469);
    expect(first).toMatchObject({ steps: 469, parts: 1, partRows: 128, state: 'opening' });
    expect(await open(469)).toEqual(first);
    expect(await open(938)).toEqual({ ...first, steps: 938 });
    expect(await open(100)).toEqual({ ...first, steps: 938 });
    const foreign = { ...view, dataset: { name: 'mnist', digest: 'db'.repeat(32) } };
    expect(await codeOf(teacher.rpc.call(streamRpc.open, { ...request, view: foreign, steps: 1 }))).toBe(
      'DATASET.MISMATCH',
    );
  });

  it('two runs of one teacher and view share teacher and stream', async () => {
    const one = await queuedRun(3);
    const { id } = await start({ seed: 3, name: 'the-other' });
    const other = await inState(id, 'queued');
    expect(other.lineage).toEqual(one.lineage);
    expect(other.stages.find(({ name }) => name === 'teacher')).toMatchObject({
      state: 'done',
      reused: true,
    });
  });

  describe('cancel', () => {
    it('ends a run that waits for a worker, at once', async () => {
      const { id } = await queuedRun(4);
      await control.rpc.call(runRpc.cancel, { id });
      const run = await inState(id, 'cancelled');
      expect(run).toMatchObject({ error: null });
      expect(run.endedAt).not.toBeNull();
      expect(await control.get(RunPositions).cancelled(id)).toBe(true);
    });

    it('ends a run whose teacher is in training', async () => {
      const { id } = await start({ seed: 5 });
      await control.rpc.call(runRpc.cancel, { id });
      await inState(id, 'cancelled');
      expect(await codeOf(control.rpc.call(runRpc.cancel, { id }))).toBe('RUN.ALREADY_ENDED');
    });

    it('of nothing is refused', async () => {
      expect(await codeOf(control.rpc.call(runRpc.cancel, { id: 'r-nobody' }))).toBe('RUN.NOT_FOUND');
    });
  });

  describe('the list', () => {
    it('is paged from the newest on, without gaps or repetitions, while new runs come', async () => {
      const name = 'paged';
      const ids: string[] = [];
      for (let seed = 10; seed < 15; seed++) ids.push((await start({ name, seed })).id);
      const newestFirst = [...ids].reverse();

      const first = await control.rpc.call(runRpc.list, { name, first: 2 });
      expect(first).toMatchObject({ hasMore: true, total: 5 });
      await start({ name, seed: 99 });
      const seen = first.runs.map(({ id }) => id);
      for (let page = first; page.hasMore;) {
        page = await control.rpc.call(runRpc.list, { name, first: 2, after: seen.at(-1) });
        seen.push(...page.runs.map(({ id }) => id));
      }
      expect(seen).toEqual(newestFirst);
    });

    it('is filtered', async () => {
      const ended = await control.rpc.call(runRpc.list, { state: 'completed', first: 10 });
      expect(ended.runs.map(({ state }) => state)).toEqual(['completed']);
      expect(ended).toMatchObject({ total: 1, hasMore: false });
      const none = await control.rpc.call(runRpc.list, { teacherId: 't-000000000000', first: 10, name: 'x' });
      expect(none).toEqual({ runs: [], hasMore: false, total: 0 });
    });

    it('refuses a cursor that is no run', async () => {
      expect(await codeOf(control.rpc.call(runRpc.list, { first: 1, after: 'r-nobody' }))).toBe(
        'RUN.NOT_FOUND',
      );
    });
  });

  describe('what is left over', () => {
    it('of a run is removed with it, once it has ended', async () => {
      const { id } = await queuedRun(4);
      expect(await codeOf(control.rpc.call(runRpc.remove, { id }))).toBe('RUN.NOT_ENDED');
      await control.rpc.call(runRpc.cancel, { id });
      await inState(id, 'cancelled');
      const forgotten: string[] = [];
      const metrics = startMetrics(forgotten);
      expect(await control.rpc.call(runRpc.remove, { id })).toEqual({ id });
      metrics.unsubscribe();
      expect(forgotten).toEqual([id]);
      expect(await codeOf(get(id))).toBe('RUN.NOT_FOUND');
      expect(await control.get(RunPositions).cancelled(id)).toBe(false);
      expect(await jobsOf(id)).toBe(0);
      expect(await codeOf(control.rpc.call(runRpc.remove, { id }))).toBe('RUN.NOT_FOUND');
    });

    it('is told before it is removed, and what somebody needs stays', async () => {
      const artifacts = control.get(ArtifactStore);
      const orphan = await artifacts.put(new TextEncoder().encode('nobody needs me'));
      await control.get(RunPositions).create('r-unknown', {
        token: 1,
        worker: 'gone',
        attempts: 1,
        trainedStep: 3,
        checkpointStep: 3,
        checkpoint: orphan,
        result: null,
      });
      const collect = (dryRun: boolean, olderThanSeconds: number): Promise<Garbage> =>
        control.rpc.call(garbageRpc.collect, { dryRun, olderThanSeconds });
      expect(await collect(true, 3_600)).toMatchObject({ artifacts: [], removed: false });
      const found = await collect(true, 0);
      expect(found.artifacts.map(({ digest }) => digest)).toContain(orphan);
      expect(found.artifacts.map(({ digest }) => digest)).not.toContain(weights);
      expect(found.positions).toContain('r-unknown');
      expect(await artifacts.has(orphan)).toBe(true);
      const removed = await collect(false, 0);
      expect(removed.removed).toBe(true);
      expect(await artifacts.has(orphan)).toBe(false);
      expect(await artifacts.has(weights)).toBe(true);
      expect(await control.get(RunPositions).read('r-unknown')).toBeUndefined();
      expect(await collect(true, 0)).toMatchObject({ artifacts: [], streams: [], positions: [], bytes: 0 });
    });
  });

  describe('jobs', () => {
    it('are listed with whoever is at work on them', async () => {
      const { id, lineage } = await queuedRun(5);
      await waitFor(async () => (await jobsOf(id)) === 1, { what: 'the job' });
      // Nobody can work on it, and it hides no other.
      await jetstream(control.connection).publish(
        jobSubject(trainJob, 'gpu', 'r-malformed'),
        '{"kind": "pupil"}',
      );
      const { jobs, queues } = await control.rpc.call(jobRpc.list, {});
      expect(jobs.find((job) => job.id === 'r-malformed')).toMatchObject({
        kind: 'unknown',
        state: 'waiting',
        problem: expect.stringContaining('kind') as unknown,
      });
      await control.get(JobQueue).remove(trainJob, 'gpu', 'r-malformed');
      expect(jobs.find((job) => job.id === id)).toMatchObject({
        kind: 'student',
        placement: 'cpu',
        state: 'waiting',
        worker: null,
        trainedStep: null,
      });
      expect(jobs.some((job) => job.id === lineage.teacherId && job.kind === 'teacher')).toBe(true);
      expect(queues.map(({ placement }) => placement)).toEqual(['cpu', 'gpu']);
      await control.rpc.call(runRpc.cancel, { id });
    });

    it('that were set aside can be worked on again: the run goes on from its checkpoint', async () => {
      const { id } = await queuedRun(6);
      await waitFor(async () => (await jobsOf(id)) === 1, { what: 'the job' });
      await setAside(id);
      const exhausted = {
        code: 'TRAINING.ATTEMPTS_EXHAUSTED',
        message: 'tried 5 times',
        retryable: false,
      } as const;
      const checkpointed = {
        token: 7,
        worker: 'gone',
        attempts: 6,
        trainedStep: 500,
        checkpointStep: 468,
        checkpoint: weights,
        result: { outcome: 'failed', error: exhausted } as const,
      };
      await control.get(RunPositions).create(id, checkpointed);
      await finish(id, 'student', checkpointed.result);
      await inState(id, 'failed');
      await control.get(JobQueue).remove(trainJob, 'cpu', id);
      const { letters } = await control.rpc.call(jobRpc.deadLetters, {});
      const letter = letters.find(({ about }) => about === id);
      expect(letter).toMatchObject({ kind: 'job', code: 'TRAINING.ATTEMPTS_EXHAUSTED', deliveries: 6 });
      await control.rpc.call(jobRpc.redrive, { id: letter?.id ?? '' });
      await inState(id, 'queued');
      await waitFor(async () => (await jobsOf(id)) === 1, { what: 'the job again' });
      const found = await control.get(RunPositions).read(id);
      expect(found?.position).toEqual({ ...checkpointed, attempts: 0, result: null });
      expect(await codeOf(control.rpc.call(jobRpc.discard, { id: letter?.id ?? '' }))).toBe(
        'DEADLETTER.NOT_FOUND',
      );
      await control.rpc.call(runRpc.cancel, { id });
    });
  });

  it('both say how they are, and count', async () => {
    for (const { url } of [teacher, control]) {
      const response = await fetch(`${url}/health/ready`);
      expect(await response.json()).toMatchObject({ status: 'ok', checks: { nats: 'ok', database: 'ok' } });
    }
    await waitFor(async () => (await control.sample('fidelis_runs{state="completed"}')) === 1, {
      what: 'the completed run in /metrics',
    });
  });
});
