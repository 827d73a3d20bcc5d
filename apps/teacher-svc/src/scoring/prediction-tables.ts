import type { Split } from '@fidelis/contracts';
import { IsNull, type DataSource } from 'typeorm';
import { PredictionTableRow } from './prediction-table.entity.js';

/** Which predictions of teachers were asked for, and which are there. */
export class PredictionTables {
  constructor(private readonly dataSource: DataSource) {}

  async ask(teacherId: string, split: Split): Promise<PredictionTableRow> {
    const { manager } = this.dataSource;
    await manager
      .createQueryBuilder()
      .insert()
      .into(PredictionTableRow)
      .values({ teacherId, split })
      .orIgnore()
      .execute();
    return manager.findOneByOrFail(PredictionTableRow, { teacherId, split });
  }

  async store(teacherId: string, split: Split, artifact: string, rows: number): Promise<void> {
    await this.dataSource.manager.upsert(PredictionTableRow, { teacherId, split, artifact, rows }, [
      'teacherId',
      'split',
    ]);
  }

  async missing(): Promise<PredictionTableRow[]> {
    return this.dataSource.manager.findBy(PredictionTableRow, { artifact: IsNull() });
  }
}
