import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddDatasetArchives implements MigrationInterface {
  readonly name = 'AddDatasetArchives1764100000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE dataset_archives (
        digest text PRIMARY KEY,
        name text NOT NULL,
        archive text NOT NULL,
        bytes bigint NOT NULL,
        created_at timestamptz NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE dataset_archives');
  }
}
