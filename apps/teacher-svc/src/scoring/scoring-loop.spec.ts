import { FidelisError } from '@fidelis/contracts';
import { createLogger, MetricsRegistry } from '@fidelis/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StreamRow } from '../streams/stream.entity.js';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import type { TeacherRepository } from '../teachers/teacher.repository.js';
import type { TeacherService } from '../teachers/teacher.service.js';
import { ScoringLoop } from './scoring-loop.js';
import type { ScoringPorts } from './scoring-session.js';

const run = vi.hoisted(() => vi.fn<() => Promise<void>>());
vi.mock('./scoring-session.js', () => ({
  ScoringSession: class {
    readonly run = run;
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
    looked = [];
    streams = new Map(
      (['first', 'second'] as const).map((key) => [
        key,
        { key, teacherId: TEACHER, state: 'opening', view, error: null },
      ]),
    );
    const ports = {
      streams: {
        unfinished: async () => [...streams.values()].filter(({ state }) => state === 'opening'),
        countByState: async () => new Map(),
        change: async (key: string, apply: (row: StreamRow) => boolean) =>
          apply(streams.get(key) as StreamRow),
      },
      tables: { missing: async () => [] },
      metrics: new MetricsRegistry('teacher-svc', '0.1.0'),
      logger: createLogger({ service: 'teacher-svc', level: 'fatal' }),
    };
    const teachers = {
      get: async () => ({ id: TEACHER, state: 'ready' }),
      training: async () => [{ id: 't-in-training' }],
      list: async () => [],
    };
    const service = { reconcile: async ({ id }: TeacherRow) => looked.push(id) };
    sut = new ScoringLoop(
      ports as unknown as ScoringPorts,
      teachers as unknown as TeacherRepository,
      service as unknown as TeacherService,
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
});
