import { FidelisError, type ProducerFingerprint } from '@fidelis/contracts';
import { otherRefs } from '@fidelis/data';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import { SilenceWatch, type ScorerProcess } from './scorer-process.js';
import type { FromScorer, PieceTask, SplitMessage, SplitTask } from './scorer-protocol.js';
import { ArchiveScratch } from '../teachers/fetch-archive.js';
import { replacedTeacher } from './replaced-teacher.js';
import type { ScoringPorts, StreamWork, Work } from './scoring-ports.js';
import { splitTasks } from './split-tasks.js';
import { startMessage } from './start-message.js';
import { StreamFeeds } from './stream-feeds.js';
import { WakeUp } from './wake-up.js';

/** Pieces in the hands of the scoring process: while one is stored, it scores the next. */
const PIECES_UNDER_WAY = 2;

/**
 * One child process with one teacher. It is handed small pieces of all the teacher's streams in turn, for as long as there is something to do, or may be
 * soon: what a stream waits for is not waited for by the others.
 */
export class ScoringSession {
  private readonly wakeUp = new WakeUp();
  private readonly splitsAsked = new Set<string>();
  private offered: Work | undefined;
  private splits: SplitTask[] = [];
  private underWay = 0;
  private handling = false;
  private givingWay = false;
  private feeds: StreamFeeds | undefined;

  constructor(
    private readonly ports: ScoringPorts,
    private readonly teacher: TeacherRow,
    private readonly signal: AbortSignal,
  ) {}

  /** What there is to do, as the database has it now. */
  offer(work: Work): void {
    this.offered = work;
    this.wakeUp.now();
  }

  /** Something that was waited for may have happened. */
  poke(): void {
    this.wakeUp.now();
  }

  /** How long it has been waiting for runs to move, or for room, with nothing else to do. */
  blockedMs(): number {
    return this.underWay > 0 || this.feeds === undefined ? 0 : this.feeds.blockedMs();
  }

  /** Another teacher has something to do: ends as soon as what is in hand is stored. */
  giveWay(): void {
    this.givingWay = true;
    this.wakeUp.now();
  }

  /** @throws FidelisError what the process failed with; whatever reading weights and storing frames throws */
  async run(work: Work): Promise<void> {
    this.offer(work);
    const scorer = this.ports.spawn();
    const silenceMs = this.ports.config.FIDELIS_CHILD_SILENCE_SECONDS * 1_000;
    const silence = new SilenceWatch(silenceMs, () => this.underWay > 0 && !this.handling);
    let scratch: ArchiveScratch | undefined;
    const stop = (): void => void scorer.stop();
    this.signal.addEventListener('abort', stop);
    try {
      await this.ports.datasets.ensure([this.teacher.spec.dataset]);
      const { artifacts, config } = this.ports;
      const archive = async (): Promise<string> => (scratch ??= await ArchiveScratch.create()).directory;
      await scorer.send(await startMessage(this.teacher, artifacts, config, archive));
      this.underWay += 1;
      const receiving = this.receive(scorer, silence);
      const handingOut = this.handOut(scorer, receiving);
      // What the others come to after the first is of no interest.
      for (const other of [receiving, handingOut]) other.catch(() => undefined);
      await Promise.race([handingOut, receiving, silence.broken]);
      this.signal.throwIfAborted();
    } finally {
      silence.stop();
      this.signal.removeEventListener('abort', stop);
      await scorer.stop();
      await scratch?.remove();
      await this.feeds?.close().catch((error: unknown) => {
        this.ports.logger.debug({ err: error }, 'the streams of a session could not be let go of');
      });
    }
  }

  /** Hands out pieces until there is nothing to do at all. */
  private async handOut(scorer: ScorerProcess, receiving: Promise<void>): Promise<void> {
    for (;;) {
      await this.wakeUp.next();
      if (this.signal.aborted) return receiving;
      const { feeds } = this;
      if (feeds === undefined) continue;
      const { offered } = this;
      this.offered = undefined;
      if (offered !== undefined) await this.adopt(feeds, offered);
      await this.fill(scorer, feeds);
      if (offered !== undefined || feeds.wantRoom) {
        await feeds.attend();
        await this.fill(scorer, feeds);
      }
      const idle = this.underWay === 0 && this.offered === undefined;
      // Nothing more comes for now: people need not wait for the next report to hear how far it is.
      if (idle) await feeds.tellGrowth();
      if (idle && (this.givingWay || (feeds.size === 0 && this.splits.length === 0))) return;
    }
  }

  private async adopt(feeds: StreamFeeds, { streams, splits }: Work): Promise<void> {
    // Also those that a stream was opened with: what was fetched then may have been on another machine.
    await this.ports.datasets.ensure(
      streams.flatMap(({ row: { view } }) => [view.dataset, ...otherRefs(view)]),
    );
    const own: StreamWork[] = [];
    for (const work of streams) {
      const error = replacedTeacher(work.row, this.teacher);
      if (error === undefined) own.push(work);
      else await feeds.fail(work.row.key, error);
    }
    await feeds.adopt(own);
    // A split takes seconds, a stream can take hours: whoever waits for an evaluation does not wait for the stream.
    this.splits = splitTasks(feeds.inHand, splits).filter(({ split }) => !this.splitsAsked.has(split));
  }

  private async fill(scorer: ScorerProcess, feeds: StreamFeeds): Promise<void> {
    while (this.underWay < PIECES_UNDER_WAY && !this.givingWay) {
      const task: SplitTask | PieceTask | undefined = this.splits.shift() ?? feeds.nextPiece();
      if (task === undefined) return;
      if (task.type === 'score-split') this.splitsAsked.add(task.split);
      this.underWay += 1;
      await scorer.send(task);
    }
  }

  private async receive(scorer: ScorerProcess, silence: SilenceWatch): Promise<void> {
    for await (const message of scorer.messages) {
      this.handling = true;
      silence.heard();
      await this.handle(scorer, message);
      silence.heard();
      this.handling = false;
    }
    this.signal.throwIfAborted();
    throw new FidelisError('TRAINING.CHILD_EXITED', 'the scoring process ended before its work was done');
  }

  private async handle(scorer: ScorerProcess, message: FromScorer): Promise<void> {
    switch (message.type) {
      case 'started':
        this.started(scorer, message.producer, message.attempts);
        break;
      case 'eager':
        this.ports.logger.warn({ name: message.name, reason: message.reason }, 'runs without a graph');
        break;
      case 'step':
        await this.feeds?.publish(message, this.signal);
        break;
      case 'split-rows':
        this.ports.logger.debug({ split: message.split, rows: message.rows }, 'scoring a split');
        break;
      case 'split-scored':
        await this.storeTable(message);
        break;
      case 'stream-failed':
        await this.feeds?.fail(message.key, FidelisError.fromWire(message.error));
        break;
      case 'task-done':
        this.underWay -= 1;
        this.wakeUp.now();
        break;
    }
  }

  private started(scorer: ScorerProcess, producer: ProducerFingerprint, attempts: readonly string[]): void {
    this.ports.logger.info(
      { teacherId: this.teacher.id, producer, backend: attempts },
      'scoring child ready',
    );
    this.feeds = new StreamFeeds(this.ports, producer, (key) => {
      scorer.send({ type: 'forget-stream', key }).catch((error: unknown) => {
        this.ports.logger.debug({ err: error }, 'the scoring child takes no more messages');
      });
    });
    this.underWay -= 1;
    this.wakeUp.now();
  }

  private async storeTable({ split, rows, values }: SplitMessage): Promise<void> {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const artifact = await this.ports.artifacts.put(bytes);
    await this.ports.tables.store(this.teacher.id, split, artifact, rows);
  }
}
