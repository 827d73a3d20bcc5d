import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Parts are kept as ranges with all sums of the engine, complete evaluations with their details.
 *
 * Records of complete evaluations stay as they are: what they lack is null when they are read. Parts of evaluations that were not
 * complete lack sums that nobody can add any more (their predictions are gone): their runs are told, so that they do not wait.
 */
export class KeepEvaluationDetails implements MigrationInterface {
  readonly name = 'KeepEvaluationDetails1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      INSERT INTO outbox (subject, payload, correlation_id)
      SELECT
        'fidelis.v1.events.evaluation-failed.' || run_id,
        jsonb_build_object(
          'runId', run_id,
          'set', set_name,
          'step', step,
          'error', jsonb_build_object(
            'code', 'EVALUATION.INTERRUPTED',
            'message', 'metrics-svc was upgraded while this evaluation was being made: start the run again',
            'retryable', false
          )
        ),
        'upgrade-' || run_id
      FROM (
        SELECT DISTINCT
          split_part(evaluation_id, '.', 1) AS run_id,
          split_part(evaluation_id, '.', 2) AS set_name,
          split_part(evaluation_id, '.', 3)::int AS step
        FROM scored_parts
      ) AS interrupted`);
    await runner.query('DROP TABLE scored_parts');
    await runner.query(`
      CREATE TABLE scored_ranges (
        evaluation_id text NOT NULL,
        first_part int NOT NULL,
        parts int NOT NULL,
        state json NOT NULL,
        PRIMARY KEY (evaluation_id, first_part)
      )`);
    await runner.query(`
      CREATE TABLE evaluation_details (
        evaluation_id text PRIMARY KEY REFERENCES evaluations (id) ON DELETE CASCADE,
        classes int NOT NULL,
        reliability json NOT NULL,
        per_class json NOT NULL,
        agreements int[] NOT NULL,
        disagreements int[] NOT NULL
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE evaluation_details');
    await runner.query('DROP TABLE scored_ranges');
    await runner.query(`
      CREATE TABLE scored_parts (
        evaluation_id text NOT NULL,
        part int NOT NULL,
        state jsonb NOT NULL,
        PRIMARY KEY (evaluation_id, part)
      )`);
  }
}
