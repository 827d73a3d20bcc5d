import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddEnsembles implements MigrationInterface {
  readonly name = 'AddEnsembles1764000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE teachers ADD COLUMN member_weights jsonb');
    await runner.query(
      'UPDATE teachers SET member_weights = jsonb_build_array(weights_digest) WHERE weights_digest IS NOT NULL',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE teachers DROP COLUMN member_weights');
  }
}
