import { FidelisError, streamEvents } from '@fidelis/contracts';
import { outgoingEvent, type Outbox, type OutgoingMessage } from '@fidelis/persistence';
import { In, type DataSource, type EntityManager } from 'typeorm';
import { closeUnread, isUnfinished, reopen } from './stream-life.js';
import { toStreamRecord } from './stream-records.js';
import { StreamRunRow } from './stream-run.entity.js';
import { StreamRow } from './stream.entity.js';

/** What a change came to; undefined: there is no such stream. */
type Changed = StreamRow | undefined;

/** Logit streams and the runs on them in the database; what people can see of a change is published with it. */
export class StreamRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** Attaches the run to the stream, which is opened; one that exists is extended to the steps of `row` if it has fewer. */
  async openFor(row: StreamRow, runId: string): Promise<StreamRow> {
    const opened = await this.inTransaction(async (manager) => {
      await manager
        .createQueryBuilder()
        .insert()
        .into(StreamRow)
        .values(row as never)
        .orIgnore()
        .execute();
      const current = await lockedRow(manager, row.key);
      await manager
        .createQueryBuilder()
        .insert()
        .into(StreamRunRow)
        .values({ streamKey: row.key, runId, steps: row.steps, attachedAt: row.createdAt })
        .orUpdate(['steps'], ['stream_key', 'run_id'])
        .execute();
      if (current === undefined) return undefined;
      current.lastUsedAt = row.createdAt;
      const visible = reopen(current, row);
      await manager.save(StreamRow, current);
      if (visible) await this.outbox.add(manager, changedMessage(current));
      return current;
    });
    return opened ?? row;
  }

  /** @param apply is given the row, which nobody else changes meanwhile, and the runs on it; says whether it changed anything */
  async change(
    key: string,
    apply: (row: StreamRow, runs: readonly StreamRunRow[]) => boolean | Promise<boolean>,
  ): Promise<Changed> {
    return this.inTransaction(async (manager) => {
      const row = await lockedRow(manager, key);
      if (row === undefined || !(await apply(row, await runsOn(manager, key)))) return row;
      await manager.save(StreamRow, row);
      await this.outbox.add(manager, changedMessage(row));
      return row;
    });
  }

  /** The run reads no more, of any stream. @returns the keys of those that it was on */
  async release(runId: string, now: Date): Promise<string[]> {
    return this.inTransaction(async (manager) => {
      const attached = await manager.findBy(StreamRunRow, { runId });
      const keys = attached.map(({ streamKey }) => streamKey);
      await manager.delete(StreamRunRow, { runId });
      if (keys.length > 0) await manager.update(StreamRow, { key: In(keys) }, { lastUsedAt: now });
      return keys;
    });
  }

  /** A stream that no run reads ends where it is, unless a run came meanwhile. */
  async closeUnread(key: string): Promise<Changed> {
    return this.change(key, (row, runs) => runs.length === 0 && closeUnread(row));
  }

  /** A stream's frames make room, unless a run came meanwhile. */
  async expire(key: string, removeFrames: () => Promise<void>): Promise<void> {
    await this.change(key, async (row, runs) => {
      if (runs.length > 0 || isUnfinished(row)) return false;
      await removeFrames();
      if (row.state === 'complete') row.state = 'expired';
      return true;
    });
  }

  /**
   * @param removeFrames called while no run can be attached
   * @throws FidelisError STREAM.NOT_FOUND, STREAM.IN_USE
   */
  async remove(key: string, removeFrames: () => Promise<void>): Promise<void> {
    await this.inTransaction(async (manager) => {
      if ((await lockedRow(manager, key)) === undefined) throw notFound(key);
      const runs = await runsOn(manager, key);
      if (runs.length > 0) throw inUse(key, runs);
      await removeFrames();
      await manager.delete(StreamRow, { key });
    });
  }

  async find(key: string): Promise<Changed> {
    return (await this.dataSource.manager.findOneBy(StreamRow, { key })) ?? undefined;
  }

  async get(key: string): Promise<StreamRow> {
    const row = await this.find(key);
    if (row !== undefined) return row;
    throw notFound(key);
  }

  /** Newest first. */
  async list(): Promise<StreamRow[]> {
    return this.dataSource.manager.find(StreamRow, { order: { createdAt: 'DESC' } });
  }

  async unfinished(): Promise<StreamRow[]> {
    return this.dataSource.manager.find(StreamRow, {
      where: { state: In(['opening', 'producing']) },
      order: { createdAt: 'ASC' },
    });
  }

  /** Streams that a run reads, and those that are to be produced. */
  async inUse(): Promise<StreamRow[]> {
    return this.dataSource.manager
      .createQueryBuilder(StreamRow, 'stream')
      .where("stream.state IN ('opening', 'producing')")
      .orWhere('EXISTS (SELECT 1 FROM stream_runs WHERE stream_key = stream.key)')
      .getMany();
  }

  /** Runs by the key of the stream that they are on. */
  async runs(): Promise<Map<string, StreamRunRow[]>> {
    const runs = new Map<string, StreamRunRow[]>();
    for (const row of await this.dataSource.manager.find(StreamRunRow, { order: { attachedAt: 'ASC' } })) {
      runs.set(row.streamKey, [...(runs.get(row.streamKey) ?? []), row]);
    }
    return runs;
  }

  async runsOn(key: string): Promise<StreamRunRow[]> {
    return runsOn(this.dataSource.manager, key);
  }

  async countByState(): Promise<Map<string, number>> {
    const counts = await this.dataSource.manager
      .createQueryBuilder(StreamRow, 'stream')
      .select('stream.state', 'state')
      .addSelect('count(*)::int', 'count')
      .groupBy('stream.state')
      .getRawMany<{ state: string; count: number }>();
    return new Map(counts.map(({ state, count }) => [state, count]));
  }

  private async inTransaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    const result = await this.dataSource.transaction(work);
    this.outbox.kick();
    return result;
  }
}

async function lockedRow(manager: EntityManager, key: string): Promise<Changed> {
  const row = await manager.findOne(StreamRow, { where: { key }, lock: { mode: 'pessimistic_write' } });
  return row ?? undefined;
}

async function runsOn(manager: EntityManager, streamKey: string): Promise<StreamRunRow[]> {
  return manager.find(StreamRunRow, { where: { streamKey }, order: { attachedAt: 'ASC' } });
}

function notFound(key: string): FidelisError {
  return new FidelisError(
    'STREAM.NOT_FOUND',
    `there is no logit stream ${key}: list them with "fidelis streams"`,
    {
      details: { key },
    },
  );
}

function inUse(key: string, runs: readonly StreamRunRow[]): FidelisError {
  const runIds = runs.map(({ runId }) => runId);
  return new FidelisError(
    'STREAM.IN_USE',
    `logit stream ${key} is read by ${runIds.join(', ')}: cancel what is not wanted, or wait for its end`,
    { details: { key, runIds } },
  );
}

function changedMessage(row: StreamRow): OutgoingMessage {
  return outgoingEvent(streamEvents.changed, row.key, toStreamRecord(row), row.correlationId);
}
