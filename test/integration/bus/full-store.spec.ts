import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogitLog } from '@fidelis/bus';
import { startNatsServer } from '@fidelis/embedded';
import { createTemporaryDirectory } from '@fidelis/testing';
import { expect, it } from 'vitest';
import { connectTo } from './bus-fixture.js';

const KEY = '00000000000000aa';
const FRAME_BYTES = 300_000;
const LIMIT_BYTES = 2 * 1024 * 1024;

const ACCOUNT = `accounts { A: { jetstream: { max_file: ${LIMIT_BYTES} }, users: [{ user: a, password: a }] } }
no_auth_user: a`;
const SERVER = `jetstream { max_file_store: ${LIMIT_BYTES} }`;

it.each([
  ['an account', ACCOUNT, { limitBytes: LIMIT_BYTES }],
  ['a server, which does not tell it,', SERVER, {}],
])(
  'says STREAM.QUOTA, at once and with what is used, where the limit of %s is reached',
  async (_, config, limit) => {
    const directory = await createTemporaryDirectory('full');
    const file = join(directory.path, 'nats.conf');
    await writeFile(file, config);
    const storeDir = join(directory.path, 'store');
    const server = await startNatsServer({ storeDir, extraArgs: ['--config', file] });
    const connection = await connectTo(server.url);
    try {
      const log = new LogitLog(connection);
      await log.ensure(KEY);
      const fill = async (): Promise<void> => {
        for (let step = 0; step < 20; step++) await log.append(KEY, 1, step, [new Uint8Array(FRAME_BYTES)]);
      };
      await expect(fill()).rejects.toMatchObject({
        code: 'STREAM.QUOTA',
        retryable: true,
        message: expect.stringMatching(/fidelis gc.*FIDELIS_STREAM_QUOTA_BYTES/) as string,
        details: { key: KEY, usedBytes: expect.any(Number) as number, ...limit },
      });
      const stored = await log.lastStep(KEY, 1);
      expect(stored).toBeGreaterThan(3);
      expect((await log.usage()).bytes).toBeLessThan(LIMIT_BYTES + FRAME_BYTES * 1.1);
      await log.purge(KEY, { parts: 1, beforeStep: stored });
      expect(await log.append(KEY, 1, stored + 1, [new Uint8Array(FRAME_BYTES)])).toBe('stored');
    } finally {
      await connection.close();
      await server.kill('SIGKILL');
      await directory.remove();
    }
  },
);
