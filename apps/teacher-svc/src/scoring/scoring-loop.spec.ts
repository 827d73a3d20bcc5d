import { FidelisError } from '@fidelis/contracts';
import { createLogger, MetricsRegistry } from '@fidelis/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamRow } from '../streams/stream.entity.js';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import type { TeacherRepository } from '../teachers/teacher.repository.js';
import type { TeacherService } from '../teachers/teacher.service.js';
import { ScoringLoop } from './scoring-loop.js';
import type { ScoringPorts, Work } from './scoring-ports.js';

const run = vi.hoisted(() => vi.fn<(work: Work) => Promise<void>>());
const blockedMs = vi.hoisted(() => vi.fn<() => number>());
const giveWay = vi.hoisted(() => vi.fn<() => void>());
vi.mock('./scoring-session.js', () => ({
  ScoringSession: class {
    readonly run = run;
    readonly blockedMs = blockedMs;
    readonly giveWay = giveWay;
    readonly offer = (): void => undefined;
    readonly poke = (): void => undefined;
  },
}));

const TEACHER = 't-0123456789ab';
const view = { kind: 'table', dataset: { name: 'mnist', digest: 'da'.repeat(32) }, split: 'train' } as const;

describe('ScoringLoop', () => {
  let streams: Map<string, Pick<StreamRow, 'key' | 'teacherId' | 'state' | 'view' | 'error'>>;
  let looked: string[];
  let sut: ScoringLoop;

  beforeEach(() => {
    vi.useFakeTimers();
    run.mockReset();
    blockedMs.mockReset().mockReturnValue(0);
    giveWay.mockReset();
    looked = [];
    streams = new Map(
      (['first', 'second'] as const).map((key) => [
        key,
        { key, teacherId: TEACHER, state: 'opening', view, error: null },
      ]),
    );
    const ports = {
      streams: {
        change: async (key: string, apply: (row: StreamRow) => boolean) =>
          apply(streams.get(key) as StreamRow),
      },
      config: { FIDELIS_SCORING_PROCESSES: 2 },
      metrics: new MetricsRegistry('teacher-svc', '0.1.0'),
      logger: createLogger({ service: 'teacher-svc', level: 'fatal' }),
    };
    const teachers = {
      get: async (id: string) => ({ id, state: 'ready' }),
      training: async () => [{ id: 't-in-training' }],
      list: async () => [],
    };
    const work = async (): Promise<Map<string, Work>> => {
      const byTeacher = new Map<string, Work>();
      for (const row of streams.values()) {
        if (row.state !== 'opening') continue;
        const known = byTeacher.get(row.teacherId)?.streams ?? [];
        const one = { row: row as StreamRow, readers: [] };
        byTeacher.set(row.teacherId, { streams: [...known, one], splits: new Set() });
      }
      return byTeacher;
    };
    const service = { reconcile: async ({ id }: TeacherRow) => looked.push(id) };
    sut = new ScoringLoop(
      ports as unknown as ScoringPorts,
      teachers as unknown as TeacherRepository,
      service as unknown as TeacherService,
      { look: async () => false, work },
    );
  });
  afterEach(async () => {
    await sut.stop();
    vi.useRealTimers();
  });

  const states = (): string[] => [...streams.values()].map(({ state }) => state);

  it.each([
    ['the database', Object.assign(new Error('terminating connection'), { code: '57P01' })],
    ['the bus', new FidelisError('BUS.UNAVAILABLE', 'away')],
  ])('gives no stream up for outages of %s, however many', async (_, outage) => {
    run.mockRejectedValue(outage);
    sut.start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run.mock.calls.length).toBeGreaterThan(5);
    expect(states()).toEqual(['opening', 'opening']);
    expect(sut.failureOf(TEACHER)).toBeUndefined();
  });

  it('gives streams up after five crashes in a row, but for those that are complete', async () => {
    run.mockRejectedValue(new FidelisError('TRAINING.CHILD_EXITED', 'by SIGSEGV'));
    run.mockImplementationOnce(async () => {
      Object.assign(streams.get('first') ?? {}, { state: 'complete' });
      throw new FidelisError('TRAINING.CHILD_EXITED', 'by SIGSEGV');
    });
    sut.start();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(states()).toEqual(['complete', 'opening']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(run).toHaveBeenCalledTimes(5);
    expect(states()).toEqual(['complete', 'failed']);
    expect(sut.failureOf(TEACHER)).toMatchObject({ code: 'TRAINING.CHILD_EXITED' });
  });

  it('tries again at once, and anew, when somebody asks again', async () => {
    run.mockRejectedValueOnce(new FidelisError('ARTIFACT.NOT_FOUND', 'no weights'));
    sut.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(sut.failureOf(TEACHER)).toBeDefined();
    for (const row of streams.values()) row.state = 'opening';
    sut.look(TEACHER);
    expect(sut.failureOf(TEACHER)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(0);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it('looks after teachers in training while it scores', async () => {
    let release = (): void => undefined;
    run.mockImplementationOnce(() => new Promise((resolve) => (release = resolve)));
    sut.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(run).toHaveBeenCalledOnce();
    expect(looked.length).toBeGreaterThanOrEqual(5);
    release();
  });

  describe('with more teachers than processes', () => {
    const serving = new Map<string, () => void>();
    beforeEach(() => {
      serving.clear();
      for (const teacherId of ['t-2', 't-3']) {
        streams.set(teacherId, { key: teacherId, teacherId, state: 'opening', view, error: null });
      }
      run.mockImplementation(
        ({ streams: [first] }) =>
          new Promise((resolve) => {
            serving.set(first?.row.teacherId ?? '', () => {
              serving.delete(first?.row.teacherId ?? '');
              resolve();
            });
          }),
      );
    });
    afterEach(() => {
      for (const end of serving.values()) end();
    });

    it('serves as many at once as it may, and those that were not served next', async () => {
      sut.start();
      await vi.advanceTimersByTimeAsync(3_000);
      expect([...serving.keys()]).toEqual([TEACHER, 't-2']);
      serving.get(TEACHER)?.();
      await vi.advanceTimersByTimeAsync(0);
      expect([...serving.keys()]).toEqual(['t-2', 't-3']);
    });

    it('asks one that has waited for long to give way, and only then', async () => {
      sut.start();
      blockedMs.mockReturnValue(4_900);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(giveWay).not.toHaveBeenCalled();
      blockedMs.mockReturnValue(5_100);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(giveWay).toHaveBeenCalledOnce();
    });
  });
});
