import { canonicalJson, ENDED_RUN_STATES, FidelisError, type RunRecord } from '@fidelis/contracts';
import { isEarlier } from './run-order.js';
import { LatestQueue } from './latest-queue.js';

/** Where a run's states come from. */
export interface RunSource {
  /** @throws FidelisError RUN.NOT_FOUND */
  read(): Promise<RunRecord>;
  /** Changes as they happen, some of which may be lost. */
  subscribe(): AsyncIterable<{ readonly payload: RunRecord }> & { close(): void };
  /** Calls back whenever changes may have been lost; returns how to end it. */
  onGap(listener: () => void): () => void;
}

export interface FollowOptions {
  /** The run is read again after this long, in case a change was lost unnoticed. */
  readonly pollMs: number;
  /** States held for a slow reader; then the oldest give way. */
  readonly queueLimit: number;
  readonly onEnd: () => void;
}

/**
 * The states of a run from now to its end: the current one at once, then each change, and nothing after an ended state.
 *
 * @throws FidelisError RUN.NOT_FOUND, or why the first state could not be read
 */
export async function followRun(
  source: RunSource,
  options: FollowOptions,
): Promise<AsyncIterableIterator<RunRecord>> {
  const follower = new RunFollower(source, options);
  await follower.start();
  return follower.states;
}

class RunFollower {
  readonly states: LatestQueue<RunRecord>;
  private readonly changes: ReturnType<RunSource['subscribe']>;
  private readonly ignoreGaps: () => void;
  private readonly poll: NodeJS.Timeout;
  private current: RunRecord | undefined;
  private reading = false;

  constructor(
    private readonly source: RunSource,
    options: FollowOptions,
  ) {
    this.states = new LatestQueue(options.queueLimit, () => {
      this.release();
      options.onEnd();
    });
    // Before the first read: a change in between is then seen twice, and not never.
    this.changes = source.subscribe();
    this.ignoreGaps = source.onGap(() => void this.readAgain());
    this.poll = setInterval(() => void this.readAgain(), options.pollMs);
  }

  async start(): Promise<void> {
    try {
      this.accept(await this.source.read());
    } catch (error) {
      await this.states.return();
      throw error;
    }
    void this.pump();
  }

  private async pump(): Promise<void> {
    try {
      for await (const { payload } of this.changes) {
        if (this.current === undefined || !isEarlier(payload, this.current)) this.accept(payload);
      }
      this.states.end(new FidelisError('BUS.UNAVAILABLE', 'the gateway is stopping: subscribe again'));
    } catch (error) {
      this.states.end(FidelisError.from(error));
    }
  }

  private async readAgain(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      this.accept(await this.source.read());
    } catch (error) {
      // A service that restarts is asked again at the next poll.
      const failure = FidelisError.from(error);
      if (!failure.retryable) this.states.end(failure);
    } finally {
      this.reading = false;
    }
  }

  private accept(run: RunRecord): void {
    if (this.current !== undefined && canonicalJson(run) === canonicalJson(this.current)) return;
    this.current = run;
    this.states.push(run);
    if (ENDED_RUN_STATES.includes(run.state)) this.states.end();
  }

  private release(): void {
    clearInterval(this.poll);
    this.ignoreGaps();
    this.changes.close();
  }
}
