import {
  createTestDatabase,
  startTestPostgres,
  waitFor,
  type TestDatabase,
  type TestPostgres,
} from '@fidelis/testing';
import { isUnavailable, openDatabase, pingDatabase, withDatabaseErrors } from '@fidelis/persistence';
import { createServer, type AddressInfo } from 'node:net';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

class CreateThings implements MigrationInterface {
  readonly name = 'CreateThings1763900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE things (id int PRIMARY KEY)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE things');
  }
}

class Broken implements MigrationInterface {
  readonly name = 'Broken1763900000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE half_done (id int)');
    await runner.query('CREATE TABEL oops');
  }

  async down(): Promise<void> {
    // There is nothing that it made.
  }
}

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('openDatabase', () => {
  let postgres: TestPostgres;
  let database: TestDatabase;
  const opened: DataSource[] = [];

  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterAll(() => postgres.dispose());
  beforeEach(async () => {
    database = await createTestDatabase(postgres);
  });
  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map((dataSource) => dataSource.destroy()));
  });

  async function open(schema: string, migrations: NewableFunction[] = [CreateThings]): Promise<DataSource> {
    const dataSource = await openDatabase({ url: database.url, schema, entities: [], migrations });
    opened.push(dataSource);
    return dataSource;
  }

  const tablesOf = async (dataSource: DataSource, schema: string): Promise<string[]> => {
    const tables: { name: string }[] = await dataSource.query(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 ORDER BY 1',
      [schema],
    );
    return tables.map(({ name }) => name);
  };

  it('creates the schema and its tables, and nothing outside of it', async () => {
    const dataSource = await open('student');
    expect(await tablesOf(dataSource, 'student')).toEqual(['migrations', 'outbox', 'things']);
    expect(await tablesOf(dataSource, 'public')).toEqual([]);
    await pingDatabase(dataSource);
  });

  it('opens what is there already with its rows', async () => {
    await (await open('student')).query('INSERT INTO things VALUES (7)');
    const again = await open('student');
    expect(await again.query('SELECT id FROM things')).toEqual([{ id: 7 }]);
  });

  it('keeps two schemas in one database apart', async () => {
    await (await open('student')).query('INSERT INTO things VALUES (7)');
    expect(await (await open('teacher')).query('SELECT id FROM things')).toEqual([]);
  });

  it('lets replicas that start at the same time migrate one after the other', async () => {
    const replicas = await Promise.all(Array.from({ length: 4 }, () => open('student')));
    const [first] = replicas;
    if (first === undefined) throw new Error('none opened');
    const applied: { name: string }[] = await first.query('SELECT name FROM migrations ORDER BY id');
    expect(applied.map(({ name }) => name)).toEqual([
      'CreateOutbox1763900000000',
      'CreateThings1763900000001',
    ]);
  });

  it('leaves nothing half done when a migration fails, and holds no lock', async () => {
    await expect(open('student', [CreateThings, Broken])).rejects.toThrow(/syntax error/);
    const whole = await open('student');
    expect(await tablesOf(whole, 'student')).toEqual(['migrations', 'outbox', 'things']);
  });

  it('says what to do when no PostgreSQL answers until the deadline', async () => {
    const port = await freePort();
    const retries: Error[] = [];
    const attempt = openDatabase({
      url: `postgres://fidelis:secret@127.0.0.1:${port}/fidelis`,
      schema: 'student',
      entities: [],
      migrations: [],
      startDeadlineMs: 600,
      onRetry: (error) => retries.push(error),
    });
    const error: unknown = await attempt.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'DATABASE.UNAVAILABLE', retryable: true });
    const { message } = error as Error;
    expect(message).toContain(`127.0.0.1:${port}`);
    expect(message).toContain('FIDELIS_DATABASE_URL');
    expect(message).not.toContain('secret');
    expect(retries.length).toBeGreaterThan(0);
  });

  it('does not wait for what will not come: a database that does not exist', async () => {
    const url = database.url.replace(database.name, 'nowhere');
    const attempt = openDatabase({ url, schema: 'student', entities: [], migrations: [] });
    await expect(attempt).rejects.toThrow(/"nowhere" does not exist/);
  });

  it('takes a row from a process that holds it and does nothing, which can go on when it is back', async () => {
    const schema = 'stalled';
    const stalled = await openDatabase({
      ...{ url: database.url, schema, entities: [], migrations: [CreateThings] },
      idleTransactionMs: 500,
    });
    opened.push(stalled);
    const other = await open(schema);
    await stalled.query('INSERT INTO things VALUES (1)');
    const runner = stalled.createQueryRunner();
    await runner.startTransaction();
    await runner.query('UPDATE things SET id = 2');
    // As a process that is paused in the middle: without an end of its own the other would wait for ever.
    await other.query('UPDATE things SET id = 3');
    const late: unknown = await runner.query('UPDATE things SET id = 4').catch((error: unknown) => error);
    expect(isUnavailable(late)).toBe(true);
    await runner.release().catch(() => undefined);
    expect(await stalled.query('SELECT id FROM things')).toEqual([{ id: 3 }]);
  });
});

describe('a database that goes away', () => {
  let postgres: TestPostgres;
  let dataSource: DataSource;

  beforeAll(async () => {
    postgres = await startTestPostgres();
    const { url } = await createTestDatabase(postgres);
    dataSource = await openDatabase({ url, schema: 'student', entities: [], migrations: [CreateThings] });
  });
  afterAll(async () => {
    await dataSource.destroy();
    await postgres.dispose();
  });

  it('fails statements in a way that says "later", and works again when it is back', async () => {
    const statement = dataSource.query('SELECT pg_sleep(60)').then(
      () => undefined,
      (error: unknown) => error,
    );
    await waitFor(
      async () => {
        const [row]: { n: number }[] = await dataSource.query(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'`,
        );
        return row?.n === 1;
      },
      { what: 'the long statement' },
    );
    await postgres.stop();
    expect(isUnavailable(await statement)).toBe(true);
    await expect(withDatabaseErrors(() => pingDatabase(dataSource))).rejects.toMatchObject({
      code: 'DATABASE.UNAVAILABLE',
      retryable: true,
    });
    await postgres.restart();
    await waitFor(() => pingDatabase(dataSource).then(() => true), { what: 'the database' });
    expect(await dataSource.query('SELECT id FROM things')).toEqual([]);
  });

  it('is not confused with a statement that is wrong', async () => {
    const wrong: unknown = await dataSource.query('SELECT nothing').catch((error: unknown) => error);
    expect(isUnavailable(wrong)).toBe(false);
    await expect(withDatabaseErrors(() => dataSource.query('SELECT nothing'))).rejects.toThrow(
      /"nothing" does not exist/,
    );
  });
});
