import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import type { PostgresServer } from './postgres-server.js';
import { executeSql } from './sql.js';

const DATABASE = 'fidelis';

/**
 * One database with a schema and a login role for each name. A role owns its schema and can enter no other. Passwords are new at each
 * start: nobody but the services of this stack needs them.
 * @returns connection strings by schema
 */
export async function provisionDatabase(
  postgres: PostgresServer,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (!(await exists(postgres, 'SELECT 1 FROM pg_database WHERE datname = $1', DATABASE))) {
    await executeSql(postgres.url(), [`CREATE DATABASE ${DATABASE}`]);
  }
  await executeSql(postgres.url(DATABASE), [
    `REVOKE ALL ON DATABASE ${DATABASE} FROM PUBLIC`,
    'REVOKE ALL ON SCHEMA public FROM PUBLIC',
  ]);
  const urls = new Map<string, string>();
  for (const schema of schemas) {
    const role = quoted(schema);
    const password = randomBytes(18).toString('hex');
    const known = await exists(postgres, 'SELECT 1 FROM pg_roles WHERE rolname = $1', schema);
    await executeSql(postgres.url(DATABASE), [
      `${known ? 'ALTER' : 'CREATE'} ROLE ${role} LOGIN PASSWORD '${password}'`,
      `REVOKE CREATE ON DATABASE ${DATABASE} FROM ${role}`,
      `GRANT CONNECT, TEMPORARY ON DATABASE ${DATABASE} TO ${role}`,
      `CREATE SCHEMA IF NOT EXISTS ${role} AUTHORIZATION ${role}`,
      `ALTER ROLE ${role} SET search_path = ${role}`,
    ]);
    urls.set(schema, postgres.urlFor(schema, password, DATABASE));
  }
  return urls;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

async function exists(postgres: PostgresServer, query: string, name: string): Promise<boolean> {
  const client = new Client({ connectionString: postgres.url() });
  await client.connect();
  try {
    return (await client.query(query, [name])).rows.length > 0;
  } finally {
    await client.end();
  }
}
