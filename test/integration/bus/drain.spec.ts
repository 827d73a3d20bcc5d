import {
  EventPublisher,
  OnEvent,
  OnRpc,
  RpcClient,
  type MessageContext,
  type NatsConnection,
} from '@fidelis/bus';
import { defineEvent, defineRpc, STREAMS } from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { Controller } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectTo, startService, unsettled } from './bus-fixture.js';

const slow = defineRpc('drain.slow', z.strictObject({ n: z.number() }), z.strictObject({ n: z.number() }));
const happened = defineEvent('drain-happened', z.strictObject({ n: z.number() }));

const started: string[] = [];
const finished: { what: string; delivery: number }[] = [];
let release: () => void;
let released: Promise<void>;

@Controller()
class Slow {
  @OnRpc(slow)
  async answer({ n }: { n: number }): Promise<{ n: number }> {
    started.push(`rpc ${n}`);
    await released;
    finished.push({ what: `rpc ${n}`, delivery: 1 });
    return { n };
  }

  @OnEvent(happened, { durable: 'drain', concurrency: 3 })
  async on({ n }: { n: number }, context: MessageContext): Promise<void> {
    started.push(`event ${n}`);
    await Promise.race([
      released,
      new Promise((resolve) => context.signal.addEventListener('abort', resolve)),
    ]);
    context.signal.throwIfAborted();
    finished.push({ what: `event ${n}`, delivery: context.deliveryCount });
  }
}

describe('a service that stops', () => {
  let nats: TestNats;
  let outside: NatsConnection;

  beforeAll(async () => {
    nats = await startTestNats();
    outside = await connectTo(nats.url);
  });
  beforeEach(() => {
    started.length = 0;
    finished.length = 0;
    released = new Promise((resolve) => {
      release = resolve;
    });
  });
  afterAll(async () => {
    await outside?.close();
    await nats?.dispose();
  });

  it('finishes what is in hand, takes nothing more, and loses nothing', async () => {
    const service = await startService(nats.url, [Slow]);
    const publisher = new EventPublisher(outside);
    const rpc = new RpcClient(outside);
    const answers = Promise.all([1, 2].map((n) => rpc.call(slow, { n }, { timeoutMs: 10_000 })));
    for (let n = 1; n <= 8; n++) await publisher.publish(happened, 'x', { n });
    await waitFor(() => started.length === 5, { what: 'two calls and three events in hand' });

    const closed = service.close();
    expect(finished).toEqual([]);
    release();
    await closed;
    expect(await answers).toEqual([{ n: 1 }, { n: 2 }]);
    expect(started).toHaveLength(5);
    expect(service.connection.isClosed()).toBe(true);
    expect(await unsettled(outside, STREAMS.events.name, 'drain-drain-happened')).toBe(0);

    const successor = await startService(nats.url, [Slow]);
    await waitFor(() => finished.length === 10, { what: 'the rest' });
    expect(finished.filter(({ what }) => what.startsWith('event'))).toHaveLength(8);
    expect(finished.every(({ delivery }) => delivery === 1)).toBe(true);
    await successor.close();
  });

  it('tells handlers to stop when the time is over, and their messages go to another at once', async () => {
    const service = await startService(nats.url, [Slow], { drainGraceMs: 200 });
    await new EventPublisher(outside).publish(happened, 'x', { n: 99 });
    await waitFor(() => started.length === 1, { what: 'the event in hand' });
    await service.close();
    expect(finished).toEqual([]);
    release();
    const successor = await startService(nats.url, [Slow]);
    await waitFor(() => finished.length === 1, { what: 'the event' });
    expect(finished).toEqual([{ what: 'event 99', delivery: 2 }]);
    await successor.close();
  });

  it('can be closed twice', async () => {
    const service = await startService(nats.url, [Slow]);
    await Promise.all([service.close(), service.close()]);
    expect(service.connection.isClosed()).toBe(true);
  });
});
