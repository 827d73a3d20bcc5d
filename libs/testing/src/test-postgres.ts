import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { executeSql, startPostgres } from '@fidelis/embedded';
import { createTemporaryDirectory } from './temporary-directory.js';

export interface TestPostgres {
  /** Connection string of the superuser. */
  url(database?: string): string;
  stop(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Same port, same data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  dispose(): Promise<void>;
}

/** A real PostgreSQL for one suite: random port, cluster of its own. It survives a kill of the process, not of the machine. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const directory = await createTemporaryDirectory('postgres');
  const server = await startPostgres({
    dataDir: join(directory.path, 'data'),
    settings: { fsync: 'off', full_page_writes: 'off' },
  });
  return {
    url: (database) => server.url(database),
    stop: () => server.stop(),
    kill: (signal) => server.kill(signal),
    restart: () => server.restart(),
    dispose: async () => {
      await server.kill('SIGQUIT');
      await directory.remove();
    },
  };
}

export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database in that server, for tests that must not see each other's rows. */
export async function createTestDatabase(postgres: Pick<TestPostgres, 'url'>): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await executeSql(postgres.url(), [`CREATE DATABASE ${name}`]);
  return {
    name,
    url: postgres.url(name),
    drop: () => executeSql(postgres.url(), [`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`]),
  };
}
