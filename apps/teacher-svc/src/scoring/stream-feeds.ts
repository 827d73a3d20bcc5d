import type { StoredSteps } from '@fidelis/bus';
import { FidelisError, type ProducerFingerprint } from '@fidelis/contracts';
import { checkProducer } from '../streams/producer-rule.js';
import { smallestNeed } from '../streams/run-needs.js';
import type { ScoringPorts, StreamWork } from './scoring-ports.js';
import type { PieceTask, StepMessage } from './scorer-protocol.js';
import { StreamFeed } from './stream-feed.js';
import { StreamGrowth } from './stream-growth.js';
import type { StreamInHand } from './split-tasks.js';

/** The lease is renewed well before others take it for abandoned. */
const RENEW_LEASE_MS = 2_000;
/** A wait that is shorter is not worth telling people. */
const TELL_WAIT_MS = 1_000;

/** The streams of one teacher in the hands of a session: they take turns, piece by piece. */
export class StreamFeeds {
  /** The next one's turn comes first. */
  private readonly feeds = new Map<string, StreamFeed>();
  private readonly growth: StreamGrowth;
  private leasesRenewedAt = 0;

  constructor(
    private readonly ports: ScoringPorts,
    private readonly producer: ProducerFingerprint,
    /** The scoring process needs nothing of the stream any more. */
    private readonly onLeave: (key: string) => void,
  ) {
    this.growth = new StreamGrowth(ports, producer);
  }

  get size(): number {
    return this.feeds.size;
  }

  get inHand(): StreamInHand[] {
    return [...this.feeds.values()].map(({ row, fromStart }) => ({ view: row.view, fromStart }));
  }

  /** Whether one waits for others to make room. */
  get wantRoom(): boolean {
    return [...this.feeds.values()].some(({ waitsFor }) => waitsFor === 'quota');
  }

  /** How long all of them have been waiting: 0 if one is not. */
  blockedMs(): number {
    const waits = [...this.feeds.values()].map((feed) => feed.waitedMs());
    return waits.length === 0 ? 0 : Math.min(...waits);
  }

  /** Takes what is new in hand, and leaves what is not to be produced any more. */
  async adopt(streams: readonly StreamWork[]): Promise<void> {
    const wanted = new Map(streams.map((work) => [work.row.key, work]));
    for (const [key, feed] of this.feeds) {
      const now = wanted.get(key)?.row;
      if (now === undefined || now.incarnation !== feed.row.incarnation) this.leave(key);
    }
    for (const [key, work] of wanted) {
      const known = this.feeds.get(key);
      if (known !== undefined) known.update(work);
      else await this.begin(work);
    }
    await this.renewLeases();
  }

  /** The next piece to be scored, of whichever stream's turn it is; undefined if none has any for now. */
  nextPiece(): PieceTask | undefined {
    for (const [key, feed] of [...this.feeds]) {
      const piece = feed.nextPiece();
      if (piece === undefined) continue;
      this.feeds.delete(key);
      this.feeds.set(key, feed);
      return piece;
    }
    return undefined;
  }

  /** Appends a step to its log. */
  async publish(message: StepMessage, signal: AbortSignal): Promise<void> {
    const { key, step, messages } = message;
    const feed = this.feeds.get(key);
    // Of a stream that was left, or of a place that the log is not at any more.
    if (feed?.nextStep !== step) return;
    const outcome = await this.append(feed, message, signal);
    if (outcome === 'stored') {
      const bytes = messages.reduce((sum, { length }) => sum + length, 0);
      feed.stored();
      await this.growth.add(feed.row, message, bytes);
    }
    if (feed.isComplete) await this.finish(feed);
  }

  /** Looks at those that wait: they make room, people are told, one that has waited for room too long is given up. */
  async attend(): Promise<void> {
    for (const feed of [...this.feeds.values()]) {
      for (const [reason, seconds] of feed.takeWaitSeconds()) {
        this.ports.metrics.counter('fidelis_teacher_wait_seconds_total').inc({ reason }, seconds);
      }
      const waitsFor = feed.waitsFor ?? null;
      const waitedMs = feed.waitedMs();
      if (waitsFor === 'quota') await this.ports.quota.makeRoom(feed.wantedBytes);
      if (waitsFor === 'quota' && waitedMs > this.patienceMs && feed.waitsFor === 'quota') {
        await this.fail(feed.key, this.noRoom(feed));
      } else if (waitsFor !== feed.row.waitsFor && (waitsFor === null || waitedMs > TELL_WAIT_MS)) {
        const row = await this.growth.tell(feed.key, waitsFor);
        if (row !== undefined) feed.rowChanged(row);
      }
    }
  }

  /** Tells of the steps that were stored since it was told last. */
  async tellGrowth(): Promise<void> {
    for (const feed of [...this.feeds.values()]) {
      if (!this.growth.isUntold(feed.key)) continue;
      const row = await this.growth.tell(feed.key, feed.waitsFor ?? null);
      if (row !== undefined) feed.rowChanged(row);
    }
  }

  async fail(key: string, error: FidelisError): Promise<void> {
    this.ports.logger.error({ key, code: error.code, err: error }, 'a logit stream is given up');
    await this.growth.fail(key, error);
    this.leave(key);
  }

  /** Lets go of all: others may take them over. */
  async close(): Promise<void> {
    const keys = [...this.feeds.keys()];
    for (const key of keys) await this.growth.tell(key, null);
    for (const key of keys) this.leave(key);
    await this.ports.leases.release(keys);
  }

  private async begin(work: StreamWork): Promise<void> {
    const { row, readers } = work;
    const { leases, board } = this.ports;
    if (!(await leases.acquire(row.key))) return;
    const stored = await this.storedSteps(work);
    // The log itself says where to go on: after a restart, or behind another replica. Where it is gone, whoever looks after the logs begins it anew.
    if (stored === undefined) return leases.release([row.key]);
    const fromStep = stored.endStep;
    try {
      const trained = readers.some(({ runId }) => (board.positionOf(runId)?.checkpointStep ?? -1) >= 0);
      const continues = trained || stored.endStep > stored.firstStep;
      const { key, producers } = row;
      const allowChange = this.ports.config.FIDELIS_ALLOW_PRODUCER_CHANGE;
      if (fromStep < row.steps) checkProducer({ key, producers, continues, allowChange }, this.producer);
    } catch (error) {
      await this.fail(row.key, FidelisError.from(error));
      return;
    }
    const begun = await this.growth.begin(row, fromStep);
    if (begun === undefined) await leases.release([row.key]);
    else this.feeds.set(row.key, new StreamFeed({ row: begun, readers }, fromStep, this.ports));
  }

  private async storedSteps({ row, readers }: StreamWork): Promise<StoredSteps | undefined> {
    const { log, board } = this.ports;
    if (row.publishedSteps === 0) {
      const firstStep = smallestNeed(readers, row.view.kind, board.positionOf) ?? 0;
      await log.ensure(row.key, { firstStep, parts: row.parts });
    }
    return log.steps(row.key, row.parts);
  }

  private async append(
    feed: StreamFeed,
    { step, messages }: StepMessage,
    signal: AbortSignal,
  ): Promise<'stored' | 'elsewhere'> {
    const { key, row } = feed;
    try {
      if ((await this.ports.log.append(key, row.parts, step, messages, { signal })) === 'stored')
        return 'stored';
    } catch (error) {
      const { code } = FidelisError.from(error);
      // Whoever looks after the logs sees that it is gone; the broker's own limit is one more reason to make room.
      if (code === 'STREAM.NOT_FOUND') this.leave(key);
      else if (code === 'STREAM.QUOTA') feed.refuse();
      else throw error;
      return 'elsewhere';
    }
    const stored = await this.ports.log.steps(key, row.parts);
    if (stored === undefined) this.leave(key);
    else {
      feed.moveTo(stored.endStep);
      this.growth.moveTo(key, stored.endStep);
    }
    return 'elsewhere';
  }

  /** All that was asked for is stored; if more was asked for meanwhile, it goes on. */
  private async finish(feed: StreamFeed): Promise<void> {
    const row = await this.growth.tell(feed.key, null);
    if (row !== undefined) feed.rowChanged(row);
    if (!feed.isComplete) return;
    this.leave(feed.key);
    await this.ports.leases.release([feed.key]);
  }

  private leave(key: string): void {
    this.feeds.get(key)?.giveUp();
    this.feeds.delete(key);
    this.growth.forget(key);
    this.onLeave(key);
  }

  private async renewLeases(): Promise<void> {
    if (performance.now() - this.leasesRenewedAt < RENEW_LEASE_MS) return;
    this.leasesRenewedAt = performance.now();
    await this.ports.leases.renew([...this.feeds.keys()]);
  }

  private get patienceMs(): number {
    return this.ports.config.FIDELIS_STREAM_QUOTA_PATIENCE_SECONDS * 1_000;
  }

  private noRoom({ key, stepBytes }: StreamFeed): FidelisError {
    const { usedBytes: used, quotaBytes: quota } = this.ports.quota;
    const patience = this.ports.config.FIDELIS_STREAM_QUOTA_PATIENCE_SECONDS;
    return new FidelisError(
      'STREAM.QUOTA',
      `there was no room for the next step of logit stream ${key} for ${patience} s: it takes ${stepBytes} bytes, and of ${quota ?? 'unlimited'} bytes ` +
        `${used} are in use by streams that runs still read. Raise FIDELIS_STREAM_QUOTA_BYTES, or wait for the runs to end (fidelis streams), and start the run again`,
      { details: { key, used, quota, needed: stepBytes } },
    );
  }
}
