import { FidelisError, streamEvents } from '@fidelis/contracts';
import { outgoingEvent, type Outbox, type OutgoingMessage } from '@fidelis/persistence';
import { In, type DataSource } from 'typeorm';
import { toStreamRecord } from './stream-records.js';
import { StreamRow } from './stream.entity.js';

/** Logit streams in the database; what people can see of a change is published with it. */
export class StreamRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** Opens the stream; one that exists is extended to the steps of `row` if it has fewer. */
  async openOrExtend(row: StreamRow): Promise<StreamRow> {
    await this.dataSource.manager
      .createQueryBuilder()
      .insert()
      .into(StreamRow)
      .values(row as never)
      .orIgnore()
      .execute();
    const opened = await this.change(row.key, (current) => {
      const retried = current.state === 'failed' && current.correlationId !== row.correlationId;
      if (current.steps >= row.steps && !retried) return false;
      Object.assign(current, { steps: Math.max(current.steps, row.steps), state: 'opening', error: null });
      current.correlationId = row.correlationId;
      return true;
    });
    return opened ?? row;
  }

  async change(key: string, apply: (row: StreamRow) => boolean): Promise<StreamRow | undefined> {
    const result = await this.dataSource.transaction(async (manager) => {
      const row = await manager.findOne(StreamRow, { where: { key }, lock: { mode: 'pessimistic_write' } });
      if (row === null) return undefined;
      if (!apply(row)) return row;
      await manager.save(StreamRow, row);
      await this.outbox.add(manager, changedMessage(row));
      return row;
    });
    this.outbox.kick();
    return result;
  }

  async get(key: string): Promise<StreamRow> {
    const row = await this.dataSource.manager.findOneBy(StreamRow, { key });
    if (row !== null) return row;
    throw new FidelisError('STREAM.NOT_FOUND', `there is no logit stream ${key}`, { details: { key } });
  }

  async unfinished(): Promise<StreamRow[]> {
    return this.dataSource.manager.find(StreamRow, {
      where: { state: In(['opening', 'producing']) },
      order: { createdAt: 'ASC' },
    });
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
}

function changedMessage(row: StreamRow): OutgoingMessage {
  return outgoingEvent(streamEvents.changed, row.key, toStreamRecord(row), row.correlationId);
}
