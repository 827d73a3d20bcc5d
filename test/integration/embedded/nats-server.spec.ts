import { createServer, type Server } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNatsServer, type NatsServer } from '@fidelis/embedded';
import { createTemporaryDirectory, type TemporaryDirectory } from '@fidelis/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

describe('embedded nats-server', () => {
  let directory: TemporaryDirectory;
  const running: NatsServer[] = [];
  const start = async (options: Parameters<typeof startNatsServer>[0]): Promise<NatsServer> => {
    const server = await startNatsServer(options);
    running.push(server);
    return server;
  };

  beforeEach(async () => {
    directory = await createTemporaryDirectory('nats-spec');
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.kill('SIGKILL');
    await directory.remove();
  });

  it('keeps acknowledged messages over SIGKILL and a restart on the same port', async () => {
    const server = await start({ storeDir: directory.path });
    const before = await connect({ servers: server.url });
    const manager = await jetstreamManager(before);
    await manager.streams.add({ name: 'KEPT', subjects: ['kept.>'] });
    for (let index = 0; index < 20; index += 1) await jetstream(before).publish('kept.x', `message ${index}`);
    const firstPid = server.pid;
    await server.kill('SIGKILL');
    await before.close();

    await server.restart();
    expect(server.pid).not.toBe(firstPid);
    const after = await connect({ servers: server.url });
    const info = await (await jetstreamManager(after)).streams.info('KEPT');
    await after.close();
    expect(info.state.messages).toBe(20);
  });

  it('names the port that another program holds', async () => {
    const blocker = await new Promise<Server>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
    });
    const address = blocker.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const outcome = start({ storeDir: directory.path, port });
    await expect(outcome).rejects.toMatchObject({
      code: 'PORT.IN_USE',
      message: expect.stringContaining(String(port)) as string,
    });
    blocker.close();
  });

  it('refuses a store below a file', async () => {
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    await expect(start({ storeDir: join(file, 'store') })).rejects.toMatchObject({
      code: 'STORAGE.UNWRITABLE',
    });
  });

  it('stops twice without complaint', async () => {
    const server = await start({ storeDir: directory.path });
    await server.stop();
    await server.stop();
    expect(server.isRunning()).toBe(false);
  });
});
