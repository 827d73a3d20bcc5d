import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateTeachers implements MigrationInterface {
  readonly name = 'CreateTeachers1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE teachers (
        id text PRIMARY KEY,
        state text NOT NULL,
        spec jsonb NOT NULL,
        classes int NOT NULL,
        members int NOT NULL,
        weights_digest text,
        progress jsonb NOT NULL,
        error jsonb,
        correlation_id text NOT NULL,
        created_at timestamptz NOT NULL,
        ready_at timestamptz
      )`);
    await runner.query(`
      CREATE TABLE streams (
        key text PRIMARY KEY,
        teacher_id text NOT NULL REFERENCES teachers (id),
        teacher_digest text NOT NULL,
        view jsonb NOT NULL,
        codec text NOT NULL,
        members int NOT NULL,
        classes int NOT NULL,
        steps int NOT NULL,
        parts int NOT NULL,
        part_rows int NOT NULL,
        state text NOT NULL,
        published_steps int NOT NULL,
        published_bytes double precision NOT NULL,
        teacher_seconds double precision NOT NULL,
        error jsonb,
        correlation_id text NOT NULL,
        created_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX streams_teacher ON streams (teacher_id)');
    await runner.query(`
      CREATE TABLE prediction_tables (
        teacher_id text NOT NULL REFERENCES teachers (id),
        split text NOT NULL,
        artifact text,
        rows int,
        PRIMARY KEY (teacher_id, split)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE prediction_tables');
    await runner.query('DROP TABLE streams');
    await runner.query('DROP TABLE teachers');
  }
}
