import { ensureTopology, type NatsConnection } from '@fidelis/bus';
import { ARTIFACTS_BUCKET, RUNS_BUCKET, STREAMS } from '@fidelis/contracts';
import { startTestNats, type TestNats } from '@fidelis/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectTo } from './bus-fixture.js';

describe('ensureTopology', () => {
  let nats: TestNats;
  const open: NatsConnection[] = [];
  const connection = async (): Promise<NatsConnection> => {
    const opened = await connectTo(nats.url);
    open.push(opened);
    return opened;
  };

  beforeAll(async () => {
    nats = await startTestNats();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((opened) => opened.close()));
  });
  afterAll(async () => {
    await nats?.dispose();
  });

  it('creates everything when five services start at once, and again without a change', async () => {
    const connections = await Promise.all(Array.from({ length: 5 }, connection));
    await Promise.all(connections.map((each) => ensureTopology(each)));
    await Promise.all(connections.map((each) => ensureTopology(each)));

    const manager = await jetstreamManager(await connection());
    const names: string[] = [];
    for await (const { config } of manager.streams.list()) names.push(config.name);
    const expected = [
      ...Object.values(STREAMS).map(({ name }) => name),
      `KV_${RUNS_BUCKET}`,
      `OBJ_${ARTIFACTS_BUCKET}`,
    ];
    expect(names.sort()).toEqual(expected.sort());
    expect((await manager.streams.info(STREAMS.jobs.name)).config.retention).toBe('workqueue');
  });

  it('brings a stream of an older version up to date', async () => {
    const nc = await connection();
    const manager = await jetstreamManager(nc);
    await ensureTopology(nc);
    await manager.streams.update(STREAMS.events.name, { max_age: 600_000_000_000 });
    await ensureTopology(nc);
    const { config } = await manager.streams.info(STREAMS.events.name);
    expect(config.max_age).toBe(STREAMS.events.maxAgeSeconds * 1e9);
  });

  it('refuses when another stream has its subjects', async () => {
    const nc = await connection();
    const manager = await jetstreamManager(nc);
    await ensureTopology(nc);
    await manager.streams.delete(STREAMS.events.name);
    await manager.streams.add({ name: 'FOREIGN', subjects: ['fidelis.v1.events.>'] });
    await expect(ensureTopology(nc)).rejects.toMatchObject({
      code: 'BUS.STREAM_CONFLICT',
      details: { stream: STREAMS.events.name },
    });
    await manager.streams.delete('FOREIGN');
    await ensureTopology(nc);
  });

  it('waits for a server that is down', async () => {
    const nc = await connection();
    await nats.kill();
    const waiting = ensureTopology(nc);
    await nats.restart();
    await expect(waiting).resolves.toBeUndefined();
  });
});
