import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateRuns implements MigrationInterface {
  readonly name = 'CreateRuns1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE runs (
        id text PRIMARY KEY,
        ordinal bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
        name text NOT NULL,
        state text NOT NULL,
        teacher_id text,
        stream_key text,
        spec jsonb NOT NULL,
        stages jsonb NOT NULL,
        progress jsonb NOT NULL,
        lineage jsonb NOT NULL,
        frames jsonb NOT NULL,
        plan jsonb NOT NULL,
        attempts int NOT NULL,
        error jsonb,
        correlation_id text NOT NULL,
        created_at timestamptz NOT NULL,
        started_at timestamptz,
        ended_at timestamptz
      )`);
    await runner.query('CREATE INDEX runs_state ON runs (state)');
    await runner.query('CREATE INDEX runs_teacher ON runs (teacher_id)');
    await runner.query('CREATE INDEX runs_stream ON runs (stream_key)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE runs');
  }
}
