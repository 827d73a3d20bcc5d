import { setTimeout as sleep } from 'node:timers/promises';
import { FidelisError, teacherStates, type ErrorCode } from '@fidelis/contracts';
import { withDatabaseErrors } from '@fidelis/persistence';
import { isUnfinished } from '../streams/stream-life.js';
import type { StreamOverseer } from '../streams/stream-overseer.js';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import type { TeacherRepository } from '../teachers/teacher.repository.js';
import type { TeacherService } from '../teachers/teacher.service.js';
import type { ScoringPorts, Work } from './scoring-ports.js';
import { ScoringSession } from './scoring-session.js';

/** Whatever was heard, this often the database is asked what there is to do. */
const TICK_MS = 1_000;
/** After a crash of a scoring process its teacher rests. */
const RETRY_AFTER_MS = 3_000;
/** Crashes in a row after which a teacher's streams are given up. */
const MAX_FAILURES = 5;
/** A session that has done nothing but wait for so long makes place for another teacher. */
const GIVE_WAY_AFTER_MS = 5_000;

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

/** A teacher's session that turns. */
interface Running {
  readonly session: ScoringSession;
  readonly ended: Promise<void>;
}

const NOTHING: Work = { streams: [], splits: new Set() };

/**
 * Level-triggered: streams that are not complete and predictions that were asked for are scored, in one session per teacher, a few of them at once on this
 * replica; teachers in training and stored streams are looked after. Any replica may do any of it, and two that do the same come to the same.
 */
export class ScoringLoop {
  private readonly stopping = new AbortController();
  private readonly notBefore = new Map<string, number>();
  private readonly failures = new Map<string, Failure>();
  private readonly sessions = new Map<string, Running>();
  /** Teachers that somebody has asked for since their session began. */
  private readonly asked = new Set<string>();
  /** Teachers that were served, the last one at the end. */
  private readonly served = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private lookingAfter: Promise<void> | undefined;
  private again = false;

  constructor(
    private readonly ports: ScoringPorts,
    private readonly teachers: TeacherRepository,
    private readonly service: TeacherService,
    private readonly overseer: Pick<StreamOverseer, 'look' | 'work'>,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort(new Error('the service is stopping'));
    const sessions = [...this.sessions.values()].map(({ ended }) => ended);
    const inHand = Promise.all([this.working, this.lookingAfter, ...sessions]);
    await Promise.race([inHand, sleep(STOP_LIMIT_MS, undefined, { ref: false })]);
  }

  /** Somebody wants something new of this teacher: do not wait for the next tick, nor for its rest, and forget its failures. */
  look(teacherId: string): void {
    this.notBefore.delete(teacherId);
    this.failures.delete(teacherId);
    this.asked.add(teacherId);
    this.turn();
  }

  /** There may be something to do: do not wait for the next tick. */
  turn(): void {
    if (this.stopping.signal.aborted) return;
    this.again = true;
    this.working ??= this.rounds().finally(() => {
      this.working = undefined;
    });
  }

  /** Scoring can take hours: what else there is to do at a tick does not wait for it. */
  private tick(): void {
    this.turn();
    this.lookingAfter ??= this.lookAfter()
      .catch((error: unknown) =>
        this.ports.logger.warn(
          { err: error },
          'teachers and streams could not be looked after; will be tried again',
        ),
      )
      .finally(() => {
        this.lookingAfter = undefined;
      });
  }

  /** A run has moved: whoever waits for that looks again. */
  poke(): void {
    for (const { session } of this.sessions.values()) session.poke();
  }

  private async lookAfter(): Promise<void> {
    for (const teacher of await this.teachers.training()) await this.service.reconcile(teacher);
    if (await this.overseer.look()) this.turn();
    await this.count();
  }

  private async rounds(): Promise<void> {
    while (this.again && !this.stopping.signal.aborted) {
      this.again = false;
      try {
        await this.round();
      } catch (error) {
        this.ports.logger.warn({ err: error }, 'scoring could not look for work; will be tried again');
      }
    }
  }

  private async round(): Promise<void> {
    const work = await this.overseer.work();
    for (const [teacherId, { session }] of this.sessions) session.offer(work.get(teacherId) ?? NOTHING);
    const waiting: [TeacherRow, Work][] = [];
    for (const teacherId of this.inTurn([...work.keys()])) {
      if (this.sessions.has(teacherId) || this.rests(teacherId)) continue;
      const teacher = await this.teachers.get(teacherId);
      if (teacher.state === 'ready') waiting.push([teacher, work.get(teacherId) ?? NOTHING]);
    }
    if (this.stopping.signal.aborted) return;
    const free = this.ports.config.FIDELIS_SCORING_PROCESSES - this.sessions.size;
    for (const [teacher, own] of waiting.slice(0, free)) this.begin(teacher, own);
    if (waiting.length > free) this.askToGiveWay(waiting.length - free);
  }

  /** Teachers that were served last come last. */
  private inTurn(teacherIds: readonly string[]): string[] {
    const served = [...this.served];
    return [...teacherIds].sort((a, b) => served.indexOf(a) - served.indexOf(b));
  }

  private rests(teacherId: string): boolean {
    return performance.now() < (this.notBefore.get(teacherId) ?? 0);
  }

  /** Sessions that can do nothing but wait make place for others. */
  private askToGiveWay(count: number): void {
    const blocked = [...this.sessions.values()].filter(
      ({ session }) => session.blockedMs() > GIVE_WAY_AFTER_MS,
    );
    for (const { session } of blocked.slice(0, count)) session.giveWay();
  }

  private begin(teacher: TeacherRow, work: Work): void {
    const { id } = teacher;
    this.served.delete(id);
    this.served.add(id);
    this.asked.delete(id);
    const session = new ScoringSession(this.ports, teacher, this.stopping.signal);
    const ended = this.score(session, id, work).finally(() => {
      this.sessions.delete(id);
      this.turn();
    });
    this.sessions.set(id, { session, ended });
  }

  private async score(session: ScoringSession, teacherId: string, work: Work): Promise<void> {
    try {
      await withDatabaseErrors(() => session.run(work));
      this.failures.delete(teacherId);
      // What it has left undone, it could not do: not at once again.
      if (!this.asked.has(teacherId)) this.notBefore.set(teacherId, performance.now() + TICK_MS);
    } catch (thrown) {
      if (this.stopping.signal.aborted) return;
      await this.failed(teacherId, FidelisError.from(thrown)).catch((error: unknown) => {
        this.ports.logger.warn({ err: error }, 'a failure of scoring could not be written down');
      });
    }
  }

  private async failed(teacherId: string, error: FidelisError): Promise<void> {
    if (error.code === 'TEACHER.CANARY') this.ports.metrics.counter('fidelis_canary_failures_total').inc();
    // An outage is no failure of the teacher's.
    const count = (this.failures.get(teacherId)?.count ?? 0) + (OUTAGES.includes(error.code) ? 0 : 1);
    this.failures.set(teacherId, { count, error });
    const restMs = Math.min(RETRY_AFTER_MS * 2 ** Math.max(0, count - MAX_FAILURES), LONGEST_REST_MS);
    this.notBefore.set(teacherId, performance.now() + restMs);
    this.ports.logger.error({ code: error.code, failures: count, err: error }, 'scoring failed');
    if (isFinal({ error, count })) await this.giveUp(teacherId, error);
  }

  /** What keeps this teacher from being scored, once it was tried often enough. */
  failureOf(teacherId: string): FidelisError | undefined {
    const failure = this.failures.get(teacherId);
    return failure !== undefined && isFinal(failure) ? failure.error : undefined;
  }

  private async giveUp(teacherId: string, error: FidelisError): Promise<void> {
    const work = await this.overseer.work();
    for (const { row } of work.get(teacherId)?.streams ?? []) {
      await this.ports.streams.change(row.key, (current) => {
        if (!isUnfinished(current)) return false;
        Object.assign(current, { state: 'failed', waitsFor: null, error: error.toWire() });
        return true;
      });
    }
  }

  private async count(): Promise<void> {
    const { metrics } = this.ports;
    const teachers = await this.teachers.list();
    for (const state of teacherStates) {
      metrics
        .gauge('fidelis_teachers')
        .set({ state }, teachers.filter((teacher) => teacher.state === state).length);
    }
  }
}
