import type { LogInfo } from '@fidelis/bus';
import { storedSteps } from '@fidelis/bus';
import { FidelisError } from '@fidelis/contracts';
import type { Logger } from '@fidelis/observability';
import { quotaPlan, type StoredStream } from './quota-plan.js';
import { smallestNeed, type PositionOf, type Reader } from './run-needs.js';
import type { StreamRow } from './stream.entity.js';
import { epochBytes, type StreamShape } from './stream-size.js';

/** What the quota needs of the bus. */
export interface QuotaLog {
  list(): Promise<readonly LogInfo[]>;
  purge(key: string, before: { readonly parts: number; readonly beforeStep: number }): Promise<void>;
  remove(key: string): Promise<void>;
}

/** What the quota needs of the database. */
export interface QuotaStreams {
  list(): Promise<readonly StreamRow[]>;
  runs(): Promise<ReadonlyMap<string, readonly Reader[]>>;
  /** Removes the frames unless a run came meanwhile. */
  expire(key: string, removeFrames: () => Promise<void>): Promise<void>;
}

/** Room is not looked for more often than this: runs report their positions about as often. */
const LOOK_EVERY_MS = 500;

/** Bytes of all logit streams together, and what makes room among them. */
export class StreamQuota {
  private storedBytes = 0;
  private promisedBytes = 0;
  /** Ever. */
  private settledBytes = 0;
  private looking: Promise<void> | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly log: QuotaLog,
    private readonly streams: QuotaStreams,
    private readonly positionOf: PositionOf,
    /** 0: without limit. */
    private readonly limitBytes: number,
    private readonly logger: Logger,
  ) {}

  get quotaBytes(): number | null {
    return this.limitBytes === 0 ? null : this.limitBytes;
  }

  get usedBytes(): number {
    return this.storedBytes;
  }

  /** @throws FidelisError STREAM.QUOTA if not even one epoch of it would fit, whatever made room */
  checkFits(shape: StreamShape, steps: number): void {
    const needed = epochBytes(shape, steps);
    if (this.limitBytes === 0 || needed <= this.limitBytes) return;
    throw new FidelisError(
      'STREAM.QUOTA',
      `${shape.view.kind === 'table' ? 'this table' : 'one epoch of this stream'} takes ${needed} bytes, and all logit streams together may take ` +
        `${this.limitBytes}: set FIDELIS_STREAM_QUOTA_BYTES to ${needed} or more, or use a smaller subset or f16`,
      {
        details: { key: shape.key, needed, quota: this.limitBytes, used: this.storedBytes },
        retryable: false,
      },
    );
  }

  /**
   * To be called before the broker is asked what is stored, and what it gives back with the answer: what is stored meanwhile may not be in
   * it, and counts beside it.
   */
  beginLook(): (logs: readonly LogInfo[]) => void {
    const before = this.settledBytes;
    return (logs) => {
      const seen = logs.reduce((sum, { bytes }) => sum + bytes, 0);
      this.storedBytes = seen + this.settledBytes - before;
    };
  }

  /** @returns how many of `steps` steps there is room for: it is theirs until it is `settled` */
  grant(stepBytes: number, steps: number): number {
    const free = this.limitBytes - this.storedBytes - this.promisedBytes;
    const granted =
      this.limitBytes === 0 ? steps : Math.max(0, Math.min(steps, Math.floor(free / stepBytes)));
    this.promisedBytes += granted * stepBytes;
    return granted;
  }

  /** Of what was granted so much is stored, or will not be. */
  settle(grantedBytes: number, storedBytes: number): void {
    this.promisedBytes = Math.max(0, this.promisedBytes - grantedBytes);
    this.storedBytes += storedBytes;
    this.settledBytes += storedBytes;
  }

  /** Tries to make room for so many bytes. */
  async makeRoom(bytes: number): Promise<void> {
    if (performance.now() - this.lookedAt < LOOK_EVERY_MS) return;
    this.looking ??= this.look(bytes).finally(() => {
      this.lookedAt = performance.now();
      this.looking = undefined;
    });
    await this.looking;
  }

  private async look(bytes: number): Promise<void> {
    const logs = await this.list();
    const wanted = this.storedBytes + this.promisedBytes + bytes - this.limitBytes;
    if (wanted <= 0) return;
    const plan = quotaPlan(await this.storedStreams(logs), wanted);
    for (const key of plan.evict) await this.streams.expire(key, () => this.log.remove(key));
    for (const { key, parts, beforeStep } of plan.purge) await this.log.purge(key, { parts, beforeStep });
    if (plan.freedBytes === 0) return;
    this.logger.info(
      { expired: plan.evict, purged: plan.purge.map(({ key, beforeStep }) => ({ key, beforeStep })) },
      'logit streams made room',
    );
    await this.list();
  }

  private async list(): Promise<readonly LogInfo[]> {
    const observe = this.beginLook();
    const logs = await this.log.list();
    observe(logs);
    return logs;
  }

  private async storedStreams(logs: readonly LogInfo[]): Promise<StoredStream[]> {
    const rows = new Map((await this.streams.list()).map((row) => [row.key, row]));
    const runs = await this.streams.runs();
    return logs.flatMap((log): StoredStream[] => {
      const row = rows.get(log.key);
      if (row === undefined) return [];
      const readers = runs.get(log.key) ?? [];
      const { key, state, parts, lastUsedAt } = row;
      const need = smallestNeed(readers, row.view.kind, this.positionOf);
      return [
        {
          ...{ key, state, parts, lastUsedAt, need },
          stored: storedSteps(log, parts),
          attached: readers.length > 0,
        },
      ];
    });
  }
}
