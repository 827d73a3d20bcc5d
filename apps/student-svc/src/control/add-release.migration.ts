import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddRelease implements MigrationInterface {
  readonly name = 'AddRelease1764000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE runs ADD COLUMN released boolean NOT NULL DEFAULT false');
    // Runs of before were never known to their streams.
    await runner.query(`UPDATE runs SET released = true WHERE state IN ('completed', 'failed', 'cancelled')`);
    await runner.query('CREATE INDEX runs_unreleased ON runs (id) WHERE NOT released');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX runs_unreleased');
    await runner.query('ALTER TABLE runs DROP COLUMN released');
  }
}
