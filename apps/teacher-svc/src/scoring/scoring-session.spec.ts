import { FidelisError, type Split, type ViewSpec } from '@fidelis/contracts';
import { createLogger, MetricsRegistry } from '@fidelis/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Position } from '../streams/run-needs.js';
import { newStream } from '../streams/stream-records.js';
import type { StreamRow } from '../streams/stream.entity.js';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import { scriptedScorer, type ScriptedScorer } from './scripted-scorer.fixture.js';
import { ScoringSession } from './scoring-session.js';
import type { ScoringPorts, StreamWork, Work } from './scoring-ports.js';

const NOW = new Date('2026-01-01T00:00:00Z');
const dataset = { name: 'mnist', digest: 'da'.repeat(32) };
const teacher = {
  id: 't-0123456789ab',
  state: 'ready',
  spec: { architecture: { name: 'lenet5' }, dataset, seed: 0, train: {} },
  classes: 10,
  members: 1,
  weightsDigest: 'fe'.repeat(32),
  memberWeights: ['fe'.repeat(32)],
} as unknown as TeacherRow;

const sequence = (seed: number): ViewSpec => ({
  ...{ kind: 'sequence', dataset, split: 'train', augmentation: [], seed, batchSize: 128 },
});
const table: ViewSpec = { kind: 'table', dataset, split: 'train' };

describe('a scoring session', () => {
  const rows = new Map<string, StreamRow>();
  const positions = new Map<string, Position>();
  /** How many steps each log has. */
  const ends = new Map<string, number>();
  let leased: Set<string>;
  let freeSteps: number;
  let scorer: ScriptedScorer;
  let stopping: AbortController;
  let sut: ScoringSession;
  let ended: Promise<void>;

  beforeEach(() => {
    vi.useFakeTimers();
    for (const map of [rows, positions, ends]) map.clear();
    leased = new Set();
    freeSteps = Number.POSITIVE_INFINITY;
    scorer = scriptedScorer();
    stopping = new AbortController();
    const ports = {
      artifacts: { get: async () => new Uint8Array(8), put: async () => 'ab'.repeat(32) },
      log: {
        ensure: async (key: string) => void ends.set(key, ends.get(key) ?? 0),
        steps: async (key: string) => {
          const endStep = ends.get(key);
          return endStep === undefined ? undefined : { firstStep: 0, endStep, bytes: 0, hasGap: false };
        },
        append: async (key: string, _parts: number, step: number) => {
          if (!ends.has(key)) throw new FidelisError('STREAM.NOT_FOUND', 'removed');
          if (ends.get(key) !== step) return 'behind';
          ends.set(key, step + 1);
          return 'stored';
        },
      },
      streams: {
        change: async (key: string, apply: (row: StreamRow, runs: []) => boolean | Promise<boolean>) => {
          const row = rows.get(key);
          if (row === undefined) return undefined;
          await apply(row, []);
          return { ...row };
        },
      },
      leases: {
        instance: 'teacher-0',
        acquire: async (key: string) => !leased.has(key),
        renew: async () => undefined,
        release: async () => undefined,
      },
      quota: {
        quotaBytes: 1_000_000,
        usedBytes: 900_000,
        grant: (_bytes: number, steps: number) => {
          const granted = Math.min(steps, freeSteps);
          freeSteps -= granted;
          return granted;
        },
        settle: () => undefined,
        makeRoom: async () => undefined,
      },
      board: { positionOf: (runId: string) => positions.get(runId) },
      tables: { store: async (_id: string, split: Split) => void stored.push(split) },
      datasets: { ensure: async () => undefined },
      metrics: new MetricsRegistry('teacher-svc', '0.1.0'),
      logger: createLogger({ service: 'teacher-svc', level: 'fatal' }),
      config: {
        FIDELIS_STREAM_LEAD_STEPS: 1_024,
        FIDELIS_STREAM_QUOTA_PATIENCE_SECONDS: 60,
        FIDELIS_ALLOW_PRODUCER_CHANGE: false,
        FIDELIS_CHILD_SILENCE_SECONDS: 20,
      },
      spawn: () => scorer,
    };
    sut = new ScoringSession(ports as unknown as ScoringPorts, teacher, stopping.signal);
  });
  const stored: Split[] = [];
  afterEach(async () => {
    stopping.abort(new Error('the test is over'));
    await ended.catch(() => undefined);
    stored.length = 0;
    vi.useRealTimers();
  });

  function stream(view: ViewSpec, steps: number): StreamWork {
    const row = newStream(teacher, { view, codec: 'f16', steps, correlationId: 'c-1' }, NOW);
    rows.set(row.key, row);
    return { row: { ...row }, readers: [{ runId: 'r-1', steps }] };
  }
  const run = (streams: readonly StreamWork[], splits: readonly Split[] = []): void => {
    const work: Work = { streams, splits: new Set(splits) };
    ended = sut.run(work);
    ended.catch(() => undefined);
  };
  const turn = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
  const asked = (): string[] =>
    scorer.tasks.map((task) =>
      task.type === 'score-piece'
        ? `${task.key.slice(0, 4)} ${task.fromStep}-${task.toStep}`
        : task.type === 'score-split'
          ? task.split
          : task.type,
    );

  it('hands out two pieces at a time, stores what comes of them, and ends when all is stored', async () => {
    const work = stream(sequence(1), 40);
    const name = work.row.key.slice(0, 4);
    run([work]);
    await turn();
    expect(asked()).toEqual([`${name} 0-16`, `${name} 16-32`]);
    await scorer.scoreNext();
    expect(asked()).toEqual([`${name} 0-16`, `${name} 16-32`, `${name} 32-40`]);
    await scorer.scoreAll();
    await ended;
    expect(ends.get(work.row.key)).toBe(40);
    expect(rows.get(work.row.key)).toMatchObject({
      state: 'complete',
      publishedSteps: 40,
      reachedSteps: 40,
      producers: [{ instance: 'teacher-0', steps: 40 }],
    });
    expect(scorer.stopped).toBe(true);
  });

  it('does not go on with a stream whose teacher was replaced under its name, and names both', async () => {
    const work = stream(sequence(1), 40);
    const before = 'ab'.repeat(32);
    const { key } = work.row;
    rows.set(key, { ...work.row, teacherDigest: before, publishedSteps: 16 });
    ends.set(key, 16);
    const other = stream(sequence(2), 8);
    run([{ ...work, row: { ...work.row, teacherDigest: before, publishedSteps: 16 } }, other]);
    await turn();
    await scorer.scoreAll();
    await ended;
    expect(rows.get(key)).toMatchObject({
      state: 'failed',
      error: {
        code: 'STREAM.MISALIGNED',
        message: expect.stringMatching(
          new RegExp(`step 16: .*${key}.*${before}.*${teacher.id}.*${teacher.weightsDigest ?? ''}`),
        ) as unknown,
        details: { step: 16, key, stream: before, teacher: teacher.weightsDigest },
      },
    });
    expect(ends.get(key)).toBe(16);
    expect(rows.get(other.row.key)).toMatchObject({ state: 'complete', publishedSteps: 8 });
  });

  it('lets the streams of a teacher take turns', async () => {
    const [one, other] = [stream(sequence(1), 32), stream(sequence(2), 32)];
    run([one, other]);
    await turn();
    await scorer.scoreAll();
    await ended;
    const keys = asked()
      .filter((task) => task.includes('-') && task !== 'forget-stream')
      .map((task) => task.split(' ')[0]);
    const [a, b] = [one.row.key.slice(0, 4), other.row.key.slice(0, 4)];
    expect(keys).toEqual([a, b, a, b]);
  });

  it('does what evaluations wait for first, but not what a table brings with it', async () => {
    run([stream(table, 59)], ['train', 'test']);
    await turn();
    expect(asked()[0]).toBe('test');
    await scorer.scoreAll();
    await ended;
    expect(asked()).not.toContain('train');
    expect(stored).toEqual(['test', 'train']);
  });

  it('waits for its runs to move, goes on when one does, and gives way when it is told to', async () => {
    const work = stream(sequence(1), 5_000);
    run([work]);
    await turn();
    await scorer.scoreAll();
    expect(ends.get(work.row.key)).toBe(1_024);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(sut.blockedMs()).toBeGreaterThan(5_000);
    positions.set('r-1', { trainedStep: 269, checkpointStep: -1 });
    sut.poke();
    await turn();
    expect(sut.blockedMs()).toBe(0);
    await scorer.scoreAll();
    expect(ends.get(work.row.key)).toBe(1_294);
    sut.giveWay();
    await ended;
    expect(rows.get(work.row.key)).toMatchObject({ state: 'producing', publishedSteps: 1_294 });
  });

  it('works in bursts of a quarter of the lead, the last of which may be shorter', async () => {
    const work = stream(sequence(1), 1_300);
    run([work]);
    await turn();
    await scorer.scoreAll();
    const trained = async (step: number): Promise<number | undefined> => {
      positions.set('r-1', { trainedStep: step, checkpointStep: -1 });
      sut.poke();
      await turn();
      await scorer.scoreAll();
      return ends.get(work.row.key);
    };
    expect(await trained(254)).toBe(1_024);
    expect(await trained(255)).toBe(1_280);
    expect(await trained(270)).toBe(1_280);
    expect(await trained(275)).toBe(1_300);
    await ended;
  });

  it('gives a stream up that found no room for too long, and says how much is missing', async () => {
    freeSteps = 10;
    const work = stream(sequence(1), 100);
    run([work]);
    await turn();
    await scorer.scoreAll();
    expect(ends.get(work.row.key)).toBe(10);
    await vi.advanceTimersByTimeAsync(59_000);
    sut.offer({ streams: [work], splits: new Set() });
    await turn();
    expect(rows.get(work.row.key)).toMatchObject({ state: 'producing', waitsFor: 'quota' });
    await vi.advanceTimersByTimeAsync(2_000);
    sut.offer({ streams: [work], splits: new Set() });
    await ended;
    expect(rows.get(work.row.key)).toMatchObject({
      state: 'failed',
      error: { code: 'STREAM.QUOTA', details: { used: 900_000, quota: 1_000_000 } },
    });
  });

  it('goes on behind another replica that has stored steps, and before what was lost', async () => {
    const work = stream(sequence(1), 60);
    const { key } = work.row;
    run([work]);
    await turn();
    ends.set(key, 24);
    await scorer.scoreNext();
    await turn();
    expect(asked().at(-1)).toBe(`${key.slice(0, 4)} 24-40`);
    await scorer.scoreNext();
    await scorer.scoreNext();
    ends.set(key, 8);
    await scorer.scoreAll();
    await ended;
    expect(ends.get(key)).toBe(60);
    expect(rows.get(key)).toMatchObject({ state: 'complete', publishedSteps: 60 });
  });

  it('leaves a stream to the replica that has it, one whose log is gone to whoever mends it', async () => {
    const [elsewhere, gone] = [stream(sequence(1), 20), stream(sequence(2), 40)];
    leased.add(elsewhere.row.key);
    run([elsewhere, gone]);
    await turn();
    ends.delete(gone.row.key);
    await scorer.scoreAll();
    await ended;
    expect(rows.get(elsewhere.row.key)?.state).toBe('opening');
    expect(rows.get(gone.row.key)).toMatchObject({ state: 'producing', publishedSteps: 0 });
  });

  it('ends a process that hangs with work in its hands, and none that has nothing to do', async () => {
    run([stream(sequence(1), 5_000)]);
    await turn();
    await scorer.scoreAll();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(scorer.stopped).toBe(false);
    positions.set('r-1', { trainedStep: 269, checkpointStep: -1 });
    sut.poke();
    await vi.advanceTimersByTimeAsync(22_000);
    await expect(ended).rejects.toMatchObject({ code: 'TRAINING.CHILD_EXITED' });
    expect(scorer.stopped).toBe(true);
  });

  it('lets a process take its time for a split, as long as it says that it advances', async () => {
    run([], ['train']);
    await turn();
    for (let rows = 4_096; rows < 60_000; rows += 4_096) {
      await vi.advanceTimersByTimeAsync(15_000);
      scorer.say({ type: 'split-rows', split: 'train', rows });
    }
    expect(scorer.stopped).toBe(false);
    await scorer.scoreAll();
    await ended;
    expect(stored).toEqual(['train']);
  });

  it('fails the one stream whose view cannot be made', async () => {
    const [bad, good] = [stream(sequence(1), 20), stream(sequence(2), 20)];
    scorer.failing.add(bad.row.key);
    run([bad, good]);
    await turn();
    await scorer.scoreAll();
    await ended;
    expect(rows.get(bad.row.key)).toMatchObject({ state: 'failed', error: { code: 'DATASET.UNKNOWN' } });
    expect(rows.get(good.row.key)).toMatchObject({ state: 'complete' });
  });
});
