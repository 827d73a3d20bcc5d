import { setTimeout as sleep } from 'node:timers/promises';
import { FidelisError, streamStates, teacherStates, type ErrorCode, type Split } from '@fidelis/contracts';
import { withDatabaseErrors } from '@fidelis/persistence';
import type { StreamRow } from '../streams/stream.entity.js';
import type { TeacherRepository } from '../teachers/teacher.repository.js';
import type { TeacherService } from '../teachers/teacher.service.js';
import { ScoringSession, type ScoringPorts } from './scoring-session.js';
import { splitTasks } from './split-tasks.js';

/** Whatever was heard, this often the database is asked what there is to do. */
const TICK_MS = 1_000;
/** After a crash of a scoring process its teacher rests. */
const RETRY_AFTER_MS = 3_000;
/** Crashes in a row after which a teacher's streams are given up. */
const MAX_FAILURES = 5;

/** For what is in hand at the end: a child that does not listen ends with this process, an absent NATS is not waited for. */
const STOP_LIMIT_MS = 4_000;
const LONGEST_REST_MS = 5 * 60_000;
const OUTAGES: readonly ErrorCode[] = ['DATABASE.UNAVAILABLE', 'BUS.UNAVAILABLE', 'BUS.TIMEOUT'];

interface Failure {
  /** In a row. */
  readonly count: number;
  readonly error: FidelisError;
}

function isFinal({ count, error }: Failure): boolean {
  return !error.retryable || count >= MAX_FAILURES;
}

interface Work {
  readonly streams: StreamRow[];
  readonly splits: Set<Split>;
}

/**
 * Level-triggered: streams that are not complete and predictions that were asked for are scored, one session per teacher, one at a time on this replica;
 * teachers in training are looked after. Any replica may do any of it, and two that do the same come to the same.
 */
export class ScoringLoop {
  private readonly stopping = new AbortController();
  private readonly notBefore = new Map<string, number>();
  private readonly failures = new Map<string, Failure>();
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private lookingAfter: Promise<void> | undefined;
  private again = false;

  constructor(
    private readonly ports: ScoringPorts,
    private readonly teachers: TeacherRepository,
    private readonly service: TeacherService,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort(new Error('the service is stopping'));
    const inHand = Promise.all([this.working, this.lookingAfter]);
    await Promise.race([inHand, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
  }

  /** Somebody wants something new of this teacher: do not wait for the next tick, nor for its rest, and forget its failures. */
  look(teacherId: string): void {
    this.notBefore.delete(teacherId);
    this.failures.delete(teacherId);
    this.turn();
  }

  /** There may be something to do: do not wait for the next tick. */
  turn(): void {
    if (this.stopping.signal.aborted) return;
    this.again = true;
    this.working ??= this.work().finally(() => {
      this.working = undefined;
    });
  }

  /** Scoring can take hours: what else there is to do at a tick does not wait for it. */
  private tick(): void {
    this.turn();
    this.lookingAfter ??= this.lookAfterTeachers()
      .catch((error: unknown) =>
        this.ports.logger.warn({ err: error }, 'teachers could not be looked after; will be tried again'),
      )
      .finally(() => {
        this.lookingAfter = undefined;
      });
  }

  private async lookAfterTeachers(): Promise<void> {
    for (const teacher of await this.teachers.training()) await this.service.reconcile(teacher);
    await this.count();
  }

  private async work(): Promise<void> {
    while (this.again && !this.stopping.signal.aborted) {
      this.again = false;
      try {
        for (const [teacherId, work] of await this.pending()) await this.score(teacherId, work);
      } catch (error) {
        this.ports.logger.warn({ err: error }, 'scoring could not look for work; will be tried again');
      }
    }
  }

  private async pending(): Promise<Map<string, Work>> {
    const work = new Map<string, Work>();
    const of = (teacherId: string): Work => {
      const known = work.get(teacherId) ?? { streams: [], splits: new Set<Split>() };
      work.set(teacherId, known);
      return known;
    };
    for (const stream of await this.ports.streams.unfinished()) of(stream.teacherId).streams.push(stream);
    for (const { teacherId, split } of await this.ports.tables.missing()) of(teacherId).splits.add(split);
    return work;
  }

  private async score(teacherId: string, { streams, splits }: Work): Promise<void> {
    if (performance.now() < (this.notBefore.get(teacherId) ?? 0) || this.stopping.signal.aborted) return;
    try {
      const teacher = await this.teachers.get(teacherId);
      if (teacher.state !== 'ready') return;
      const session = new ScoringSession(this.ports, teacher, this.stopping.signal);
      await withDatabaseErrors(() => session.run(streams, splitTasks(streams, splits)));
      this.failures.delete(teacherId);
    } catch (thrown) {
      if (this.stopping.signal.aborted) return;
      const error = FidelisError.from(thrown);
      // An outage is no failure of the teacher's.
      const count = (this.failures.get(teacherId)?.count ?? 0) + (OUTAGES.includes(error.code) ? 0 : 1);
      this.failures.set(teacherId, { count, error });
      const restMs = Math.min(RETRY_AFTER_MS * 2 ** Math.max(0, count - MAX_FAILURES), LONGEST_REST_MS);
      this.notBefore.set(teacherId, performance.now() + restMs);
      await this.report(streams, error, count);
    }
  }

  /** What keeps this teacher from being scored, once it was tried often enough. */
  failureOf(teacherId: string): FidelisError | undefined {
    const failure = this.failures.get(teacherId);
    return failure !== undefined && isFinal(failure) ? failure.error : undefined;
  }

  private async report(streams: readonly StreamRow[], error: FidelisError, failures: number): Promise<void> {
    this.ports.logger.error({ code: error.code, failures, err: error }, 'scoring failed');
    if (!isFinal({ error, count: failures })) return;
    for (const { key } of streams) {
      await this.ports.streams.change(key, (row) => {
        // Those before it in the session may be complete.
        if (row.state !== 'opening' && row.state !== 'producing') return false;
        Object.assign(row, { state: 'failed', error: error.toWire() });
        return true;
      });
    }
  }

  private async count(): Promise<void> {
    const { metrics, streams } = this.ports;
    const counts = await streams.countByState();
    for (const state of streamStates) metrics.gauge('fidelis_streams').set({ state }, counts.get(state) ?? 0);
    const teachers = await this.teachers.list();
    for (const state of teacherStates) {
      metrics
        .gauge('fidelis_teachers')
        .set({ state }, teachers.filter((teacher) => teacher.state === state).length);
    }
  }
}
