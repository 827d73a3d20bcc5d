import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddCodecError implements MigrationInterface {
  readonly name = 'AddCodecError1764000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE streams ADD COLUMN codec_error jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE streams DROP COLUMN codec_error');
  }
}
