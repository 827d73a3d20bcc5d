import {
  BusHealth,
  connectBus,
  EventPublisher,
  OnEvent,
  RpcClient,
  RunPositions,
  type NatsConnection,
} from '@fidelis/bus';
import { defineEvent, defineRpc } from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { Controller } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectTo, startService, type TestService } from './bus-fixture.js';

const event = defineEvent('outage-happened', z.strictObject({ n: z.number() }));
const received: number[] = [];

@Controller()
class Follower {
  @OnEvent(event, { durable: 'outage' })
  on({ n }: { n: number }): void {
    received.push(n);
  }
}

describe('while NATS is away', () => {
  let nats: TestNats;
  let service: TestService;
  let outside: NatsConnection;
  let reconnects = 0;
  let disconnects = 0;

  beforeAll(async () => {
    nats = await startTestNats();
    const observer = { reconnected: () => reconnects++, disconnected: () => disconnects++ };
    service = await startService(nats.url, [Follower], { observer });
    outside = await connectTo(nats.url);
  });
  afterAll(async () => {
    await outside?.close();
    await service?.close();
    await nats?.dispose();
  });

  it('a publisher holds back, and its events are stored once and handled after the restart', async () => {
    const publisher = new EventPublisher(outside);
    await publisher.publish(event, 'x', { n: 0 });
    await waitFor(() => received.includes(0), { what: 'the first event' });
    await nats.kill();
    let published = 0;
    const publishes = [1, 2, 3].map((n) => publisher.publish(event, 'x', { n }).then(() => published++));
    await expect(new BusHealth(outside, 200).check()).rejects.toMatchObject({ code: 'BUS.UNAVAILABLE' });
    expect(published).toBe(0);
    await nats.restart();
    await Promise.all(publishes);
    await waitFor(() => received.length >= 4, { what: 'all events' });
    expect(received.sort()).toEqual([0, 1, 2, 3]);
    await new BusHealth(outside).check();
    expect({ disconnects, reconnects }).toEqual({ disconnects: 1, reconnects: 1 });
  });

  it('a publisher that was told how long to wait gives up with BUS.UNAVAILABLE', async () => {
    await nats.kill();
    const publisher = new EventPublisher(outside);
    await expect(publisher.publish(event, 'x', { n: 9 }, { patienceMs: 100 })).rejects.toMatchObject({
      code: 'BUS.UNAVAILABLE',
      retryable: true,
    });
    await nats.restart();
  });

  it('a call fails in time', async () => {
    const nobody = defineRpc('outage.nobody', z.strictObject({}), z.strictObject({}));
    await nats.kill();
    await expect(new RpcClient(outside).call(nobody, {}, { timeoutMs: 300 })).rejects.toMatchObject({
      retryable: true,
    });
    await nats.restart();
  });

  it('a watch for a cancellation survives', async () => {
    const positions = service.get(RunPositions);
    let cancelled = 0;
    const stop = await positions.watchCancel('outage-run', () => cancelled++);
    await nats.kill();
    await nats.restart();
    await positions.requestCancel('outage-run');
    await waitFor(() => cancelled === 1, { what: 'the cancellation' });
    stop();
  });

  it('the first connection is waited for, and the wait can be called off', async () => {
    await nats.kill();
    const waiting = connectTo(nats.url);
    const controller = new AbortController();
    const calledOff = connectBus({
      servers: nats.url,
      name: 'test',
      signal: controller.signal,
      reconnectPauseMs: 20,
    });
    controller.abort();
    await expect(calledOff).rejects.toMatchObject({ code: 'BUS.UNAVAILABLE' });
    await nats.restart();
    await (await waiting).close();
  });

  it('a service can stop', async () => {
    const stopping = await startService(nats.url, [], {});
    await nats.kill();
    const startedAt = performance.now();
    await stopping.close();
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    await nats.restart();
  });
});
