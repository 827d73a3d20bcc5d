import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddStreamRuns implements MigrationInterface {
  readonly name = 'AddStreamRuns1764000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE streams
        ADD COLUMN incarnation int NOT NULL DEFAULT 0,
        ADD COLUMN reached_steps int NOT NULL DEFAULT 0,
        ADD COLUMN waits_for text,
        ADD COLUMN producers jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN last_used_at timestamptz,
        ADD COLUMN lease_owner text,
        ADD COLUMN lease_until timestamptz`);
    await runner.query('UPDATE streams SET last_used_at = created_at, reached_steps = published_steps');
    await runner.query('ALTER TABLE streams ALTER COLUMN last_used_at SET NOT NULL');
    await runner.query(`
      CREATE TABLE stream_runs (
        stream_key text NOT NULL REFERENCES streams (key) ON DELETE CASCADE,
        run_id text NOT NULL,
        steps int NOT NULL,
        attached_at timestamptz NOT NULL,
        PRIMARY KEY (stream_key, run_id)
      )`);
    await runner.query('CREATE INDEX stream_runs_run ON stream_runs (run_id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE stream_runs');
    await runner.query(`
      ALTER TABLE streams
        DROP COLUMN incarnation,
        DROP COLUMN reached_steps,
        DROP COLUMN waits_for,
        DROP COLUMN producers,
        DROP COLUMN last_used_at,
        DROP COLUMN lease_owner,
        DROP COLUMN lease_until`);
  }
}
