import { In, type DataSource } from 'typeorm';
import { StreamRow } from './stream.entity.js';

/** A replica that says nothing for this long has died: another may take its streams over. */
const LEASE_MS = 8_000;

/** True if another replica produces the stream. */
export function isLeasedElsewhere(
  { leaseOwner, leaseUntil }: Pick<StreamRow, 'leaseOwner' | 'leaseUntil'>,
  instance: string,
  now: Date,
): boolean {
  return leaseOwner !== null && leaseOwner !== instance && leaseUntil !== null && leaseUntil > now;
}

/**
 * Which replica produces which stream: it saves the others the same work. What is stored never depends on it (each step is appended behind the one
 * before, or not at all), so clocks need not agree well.
 */
export class StreamLeases {
  constructor(
    private readonly dataSource: DataSource,
    /** Name of this replica: after a restart it has its streams again at once. */
    readonly instance: string,
  ) {}

  /** @returns false if another replica produces the stream */
  async acquire(key: string): Promise<boolean> {
    const now = new Date();
    const { affected } = await this.dataSource.manager
      .createQueryBuilder()
      .update(StreamRow)
      .set({ leaseOwner: this.instance, leaseUntil: new Date(now.getTime() + LEASE_MS) })
      .where('key = :key', { key })
      .andWhere('(lease_owner IS NULL OR lease_owner = :instance OR lease_until < :now)', {
        instance: this.instance,
        now,
      })
      .execute();
    return affected === 1;
  }

  async renew(keys: readonly string[]): Promise<void> {
    await this.set(keys, { leaseUntil: new Date(Date.now() + LEASE_MS) });
  }

  async release(keys: readonly string[]): Promise<void> {
    await this.set(keys, { leaseOwner: null, leaseUntil: null });
  }

  private async set(keys: readonly string[], values: Partial<StreamRow>): Promise<void> {
    if (keys.length === 0) return;
    await this.dataSource.manager.update(
      StreamRow,
      { key: In([...keys]), leaseOwner: this.instance },
      values as never,
    );
  }
}
