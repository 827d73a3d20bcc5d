import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { executeSql, findNatsServer } from '@fidelis/embedded';
import { openDatabase } from '@fidelis/persistence';
import { startTestPostgres, type TestPostgres } from '@fidelis/testing';
import { WORKLOADS } from '@fidelis/deploy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readText, REPOSITORY } from './deploy-files.js';

const DATABASE = 'fidelis';
const OWNERS = WORKLOADS.flatMap(({ database }) => (database === undefined ? [] : [database]));

describe('nats.conf', () => {
  it('is a configuration that nats-server takes', async () => {
    const { path } = await findNatsServer();
    const { stderr } = await promisify(execFile)(path, [
      '-t',
      '-c',
      `${REPOSITORY}deploy/generated/nats/nats.conf`,
    ]);
    expect(stderr).toContain('is valid');
  });
});

describe('init.sql', () => {
  let postgres: TestPostgres;

  beforeAll(async () => {
    postgres = await startTestPostgres();
    await executeSql(postgres.url(), [`CREATE DATABASE ${DATABASE}`]);
    await executeSql(postgres.url(DATABASE), [withoutPsql(readText('deploy/generated/postgres/init.sql'))]);
  });

  afterAll(() => postgres.dispose());

  /** psql's own commands carried out: the variables are set to the name of their role. */
  function withoutPsql(script: string): string {
    return script.replace(/^\\.*$/gm, '').replace(/:'(\w+)_password'/g, "'$1'");
  }

  function urlOf(owner: string): string {
    const url = new URL(postgres.url(DATABASE));
    url.username = owner;
    url.password = owner;
    return url.href;
  }

  it.each(OWNERS)('lets %s migrate its own schema', async (owner) => {
    const dataSource = await openDatabase({ url: urlOf(owner), schema: owner, entities: [], migrations: [] });
    try {
      expect(await dataSource.query('SELECT * FROM outbox')).toEqual([]);
    } finally {
      await dataSource.destroy();
    }
  });

  it.each(OWNERS)('keeps %s out of every other schema', async (owner) => {
    for (const other of [...OWNERS.filter((each) => each !== owner), 'public']) {
      await expect(executeSql(urlOf(owner), [`CREATE TABLE ${other}.intruder (id int)`])).rejects.toThrow(
        `permission denied for schema ${other}`,
      );
    }
    await expect(executeSql(urlOf(owner), ['CREATE SCHEMA intruder'])).rejects.toThrow('permission denied');
  });
});
