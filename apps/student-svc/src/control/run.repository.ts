import {
  ENDED_RUN_STATES,
  FidelisError,
  runEvents,
  type DatasetRef,
  type RunState,
} from '@fidelis/contracts';
import { outgoingEvent, type Outbox, type OutgoingMessage } from '@fidelis/persistence';
import { In, Not, type DataSource, type EntityManager, type FindOptionsWhere } from 'typeorm';
import { toRecord } from './run-creation.js';
import { RunRow } from './run.entity.js';

/** What a change of a run comes to: whether people can see it, which publishes the run with it. */
export interface RunChange {
  readonly visible: boolean;
}

export interface RunFilter {
  readonly state?: RunState | undefined;
  readonly name?: string | undefined;
  readonly teacherId?: string | undefined;
}

export interface RunLife {
  readonly id: string;
  readonly state: RunState;
  readonly endedAt: Date | null;
  readonly weights: string | null;
  /** Digest of its own. */
  readonly dataset: string;
  /** That its view draws on besides. */
  readonly others: readonly DatasetRef[] | null;
}

/** Runs in the database. Every change is one transaction with the row locked, and publishes through the outbox. */
export class RunRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  async create(row: RunRow): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.insert(RunRow, row as never);
      await this.outbox.add(manager, changedMessage(row));
    });
    this.outbox.kick();
  }

  /** @returns the run after the change; undefined if there is no such run (an event of another installation) */
  async change(id: string, apply: (row: RunRow) => RunChange): Promise<RunRow | undefined> {
    const row = await this.dataSource.transaction((manager) => this.changeIn(manager, id, apply));
    this.outbox.kick();
    return row;
  }

  private async changeIn(
    manager: EntityManager,
    id: string,
    apply: (row: RunRow) => RunChange,
  ): Promise<RunRow | undefined> {
    const row = await manager.findOne(RunRow, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (row === null) return undefined;
    const { visible } = apply(row);
    await manager.save(RunRow, row);
    if (visible) await this.outbox.add(manager, changedMessage(row));
    return row;
  }

  async remove(id: string): Promise<void> {
    await this.dataSource.manager.delete(RunRow, { id });
  }

  /** What a collection of garbage has to know of every run. */
  async lives(): Promise<readonly RunLife[]> {
    return this.dataSource.manager
      .createQueryBuilder(RunRow, 'run')
      .select('run.id', 'id')
      .addSelect('run.state', 'state')
      .addSelect('run.ended_at', 'endedAt')
      .addSelect("run.lineage ->> 'weightsDigest'", 'weights')
      .addSelect("run.lineage -> 'dataset' ->> 'digest'", 'dataset')
      .addSelect("run.plan -> 'others'", 'others')
      .getRawMany<RunLife>();
  }

  async get(id: string): Promise<RunRow> {
    const row = await this.dataSource.manager.findOneBy(RunRow, { id });
    if (row !== null) return row;
    throw new FidelisError('RUN.NOT_FOUND', `there is no run ${id}: list the runs with "fidelis runs"`, {
      details: { id },
    });
  }

  async unfinished(where: FindOptionsWhere<RunRow> = {}): Promise<RunRow[]> {
    return this.dataSource.manager.find(RunRow, {
      where: { ...where, state: Not(In([...ENDED_RUN_STATES])) },
      order: { ordinal: 'ASC' },
    });
  }

  /** Ended runs that their streams still wait for. */
  async unreleased(): Promise<RunRow[]> {
    return this.dataSource.manager.find(RunRow, {
      where: { released: false, state: In([...ENDED_RUN_STATES]) },
      order: { ordinal: 'ASC' },
    });
  }

  /** Newest first. `hasMore`: older ones follow. */
  async list(
    filter: RunFilter,
    first: number,
    after: string | undefined,
  ): Promise<{ rows: RunRow[]; hasMore: boolean; total: number }> {
    const query = this.dataSource.manager.createQueryBuilder(RunRow, 'run');
    if (filter.state !== undefined) query.andWhere('run.state = :state', { state: filter.state });
    if (filter.name !== undefined) query.andWhere('run.name = :name', { name: filter.name });
    if (filter.teacherId !== undefined)
      query.andWhere('run.teacherId = :teacherId', { teacherId: filter.teacherId });
    const total = await query.getCount();
    if (after !== undefined) {
      const cursor = await this.get(after);
      query.andWhere('run.ordinal < :ordinal', { ordinal: cursor.ordinal });
    }
    const rows = await query
      .orderBy('run.ordinal', 'DESC')
      .take(first + 1)
      .getMany();
    return { rows: rows.slice(0, first), hasMore: rows.length > first, total };
  }

  async countByState(): Promise<Map<RunState, number>> {
    const counts = await this.dataSource.manager
      .createQueryBuilder(RunRow, 'run')
      .select('run.state', 'state')
      .addSelect('count(*)::int', 'count')
      .groupBy('run.state')
      .getRawMany<{ state: RunState; count: number }>();
    return new Map(counts.map(({ state, count }) => [state, count]));
  }
}

function changedMessage(row: RunRow): OutgoingMessage {
  return outgoingEvent(runEvents.changed, row.id, toRecord(row), row.correlationId);
}
