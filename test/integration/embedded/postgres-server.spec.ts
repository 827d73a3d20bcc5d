import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres, type PostgresServer } from '@fidelis/embedded';
import { createTemporaryDirectory, type TemporaryDirectory } from '@fidelis/testing';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('embedded PostgreSQL', () => {
  let directory: TemporaryDirectory;
  const running: PostgresServer[] = [];
  const start = async (dataDir: string): Promise<PostgresServer> => {
    const server = await startPostgres({ dataDir, settings: { fsync: 'off' } });
    running.push(server);
    return server;
  };

  beforeEach(async () => {
    directory = await createTemporaryDirectory('postgres-spec');
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.kill('SIGQUIT');
    await directory.remove();
  });

  it('keeps committed rows over SIGKILL and a start in a new process over the stale postmaster.pid', async () => {
    const dataDir = join(directory.path, 'data');
    const first = await start(dataDir);
    await query(first.url(), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.kill('SIGKILL');
    expect(await readFile(join(dataDir, 'cluster', 'postmaster.pid'), 'utf8')).toContain(String(first.pid));

    const second = await start(dataDir);
    expect(await query(second.url(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('starts although the recorded process id now belongs to another program', async () => {
    const dataDir = join(directory.path, 'data');
    const first = await start(dataDir);
    const pidFile = join(dataDir, 'cluster', 'postmaster.pid');
    const record = await readFile(pidFile, 'utf8');
    await first.stop();
    const { uid, gid } = await stat(join(dataDir, 'cluster'));
    await writeFile(pidFile, record.replace(/^\d+/, String(process.pid)), { mode: 0o600 });
    if (process.getuid?.() === 0) await chown(pidFile, uid, gid);

    const second = await start(dataDir);
    expect(await query(second.url(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('asks for its password and does not run as root', async () => {
    const server = await start(join(directory.path, 'data'));
    const stranger = server.url().replace(/:[^:@/]+@/, ':guess@');
    await expect(query(stranger, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    if (process.platform === 'linux') expect((await stat(`/proc/${server.pid}`)).uid).not.toBe(0);
  });

  it('begins again where the creation of a cluster was interrupted', async () => {
    const dataDir = join(directory.path, 'data');
    await mkdir(join(dataDir, 'cluster.partial'), { recursive: true });
    await writeFile(join(dataDir, 'cluster.partial', 'PG_VERSION'), '18\n');
    const server = await start(dataDir);
    expect(await query(server.url(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('refuses a data directory below a file', async () => {
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    await expect(start(join(file, 'data'))).rejects.toMatchObject({ code: 'STORAGE.UNWRITABLE' });
  });

  it('says that the cluster is of another version', async () => {
    const dataDir = join(directory.path, 'data');
    await mkdir(join(dataDir, 'cluster'), { recursive: true });
    await writeFile(join(dataDir, 'cluster', 'PG_VERSION'), '9\n');
    await expect(start(dataDir)).rejects.toMatchObject({
      code: 'SETUP.MISSING',
      message: expect.stringContaining('PostgreSQL 9') as string,
    });
  });

  it.runIf(process.getuid?.() === 0)(
    'names the directory that the server cannot enter when we are root',
    async () => {
      const closed = join(directory.path, 'closed');
      await mkdir(closed);
      await chmod(closed, 0o700);
      await expect(start(join(closed, 'data'))).rejects.toMatchObject({
        code: 'STORAGE.UNWRITABLE',
        message: expect.stringContaining(closed) as string,
      });
    },
  );
});
