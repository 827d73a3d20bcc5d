import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddExecution implements MigrationInterface {
  readonly name = 'AddExecution1764000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE teachers ADD COLUMN execution jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE teachers DROP COLUMN execution');
  }
}
