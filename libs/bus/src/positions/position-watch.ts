import { setTimeout as sleep } from 'node:timers/promises';

/** A position as it lies in the bucket; undefined where it was deleted. */
export interface PositionEntry<Value> {
  readonly runId: string;
  readonly revision: number;
  readonly value: Value | undefined;
}

export interface PositionSource<Value> {
  /** All that there are now. */
  all(): Promise<readonly PositionEntry<Value>[]>;
  /** What is written from now on, until the signal is aborted or the connection breaks. */
  follow(signal: AbortSignal): AsyncIterable<PositionEntry<Value>>;
}

/** How often all are also read: a position that is forgotten leaves no marker, and a notification may be lost with a connection. */
const POLL_MS = 5_000;
const RETRY_MS = 500;

/** Tells of each position when it is new, when it changes and when it is gone, once for each state that is seen, never an older one after a newer. */
export class PositionWatch<Value> {
  private readonly revisions = new Map<string, number>();
  private readonly stopped = new AbortController();

  constructor(
    private readonly source: PositionSource<Value>,
    private readonly onChange: (runId: string, value: Value | undefined) => void,
  ) {}

  /** Returns when `onChange` knows of all that is there. */
  async start(): Promise<void> {
    await this.compare();
    void this.listen();
    void this.poll();
  }

  stop(): void {
    this.stopped.abort();
  }

  private async listen(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        for await (const entry of this.source.follow(signal)) this.apply(entry);
      } catch {
        // Away; the next round, or the poll, sees it.
      }
      await pause(RETRY_MS, signal);
    }
  }

  private async poll(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      await pause(POLL_MS, signal);
      if (!signal.aborted) await this.compare().catch(() => undefined);
    }
  }

  private async compare(): Promise<void> {
    const before = new Map(this.revisions);
    const found = new Map((await this.source.all()).map((entry) => [entry.runId, entry]));
    for (const [runId, revision] of before) {
      // What was heard of while all were read is newer than what was read.
      if (this.revisions.get(runId) !== revision) continue;
      const entry = found.get(runId);
      if (entry === undefined) {
        this.revisions.delete(runId);
        this.tell(runId, undefined);
      } else if (entry.revision < revision) {
        // The bucket itself is another one: its numbers began anew.
        this.revisions.delete(runId);
      }
    }
    for (const entry of found.values()) this.apply(entry);
  }

  private apply({ runId, revision, value }: PositionEntry<Value>): void {
    const known = this.revisions.get(runId) ?? 0;
    if (revision <= known || (value === undefined && known === 0)) return;
    if (value === undefined) this.revisions.delete(runId);
    else this.revisions.set(runId, revision);
    this.tell(runId, value);
  }

  private tell(runId: string, value: Value | undefined): void {
    if (!this.stopped.signal.aborted) this.onChange(runId, value);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
