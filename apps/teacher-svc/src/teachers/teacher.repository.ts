import { FidelisError, teacherEvents } from '@fidelis/contracts';
import { outgoingEvent, type Outbox, type OutgoingMessage } from '@fidelis/persistence';
import { In, type DataSource } from 'typeorm';
import { toTeacherRecord } from './teacher-records.js';
import { TeacherRow } from './teacher.entity.js';

/** Teachers in the database. A change is one transaction with the row locked; what people can see is published with it. */
export class TeacherRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** @returns the teacher of this id: the new one, or the one that was there */
  async createOrGet(row: TeacherRow): Promise<TeacherRow> {
    await this.dataSource.transaction(async (manager) => {
      const inserted = await manager
        .createQueryBuilder()
        .insert()
        .into(TeacherRow)
        .values(row as never)
        .orIgnore()
        .returning('id')
        .execute();
      if ((inserted.raw as unknown[]).length > 0) await this.outbox.add(manager, changedMessage(row));
    });
    this.outbox.kick();
    return this.get(row.id);
  }

  /** @returns undefined if there is no such teacher */
  async change(id: string, apply: (row: TeacherRow) => boolean): Promise<TeacherRow | undefined> {
    const result = await this.dataSource.transaction(async (manager) => {
      const row = await manager.findOne(TeacherRow, { where: { id }, lock: { mode: 'pessimistic_write' } });
      if (row === null) return undefined;
      if (!apply(row)) return row;
      await manager.save(TeacherRow, row);
      await this.outbox.add(manager, changedMessage(row));
      return row;
    });
    this.outbox.kick();
    return result;
  }

  async find(id: string): Promise<TeacherRow | null> {
    return this.dataSource.manager.findOneBy(TeacherRow, { id });
  }

  async get(id: string): Promise<TeacherRow> {
    const row = await this.find(id);
    if (row !== null) return row;
    throw new FidelisError(
      'TEACHER.NOT_FOUND',
      `there is no teacher ${id}: ask the gateway for "{ teachers { id } }", or describe one in the spec`,
      { details: { id } },
    );
  }

  /** @returns those that exist, in the order of `ids` */
  async findAll(ids: readonly string[]): Promise<TeacherRow[]> {
    const rows = await this.dataSource.manager.findBy(TeacherRow, { id: In([...ids]) });
    return ids.flatMap((id) => rows.filter((row) => row.id === id));
  }

  async list(): Promise<TeacherRow[]> {
    return this.dataSource.manager.find(TeacherRow, { order: { createdAt: 'DESC' } });
  }

  async training(): Promise<TeacherRow[]> {
    return this.dataSource.manager.findBy(TeacherRow, { state: 'training' });
  }
}

function changedMessage(row: TeacherRow): OutgoingMessage {
  return outgoingEvent(teacherEvents.changed, row.id, toTeacherRecord(row), row.correlationId);
}
