import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateEvaluations implements MigrationInterface {
  readonly name = 'CreateEvaluations1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE evaluations (
        id text PRIMARY KEY,
        run_id text NOT NULL,
        step int NOT NULL,
        record jsonb NOT NULL,
        created_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX evaluations_run ON evaluations (run_id, step)');
    await runner.query(`
      CREATE TABLE scored_parts (
        evaluation_id text NOT NULL,
        part int NOT NULL,
        state jsonb NOT NULL,
        PRIMARY KEY (evaluation_id, part)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE scored_parts');
    await runner.query('DROP TABLE evaluations');
  }
}
