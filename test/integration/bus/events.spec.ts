import {
  EventPublisher,
  EventSubscriber,
  OnEvent,
  type BusObserver,
  type MessageContext,
  type NatsConnection,
} from '@fidelis/bus';
import { defineEvent, eventSubject, FidelisError, STREAMS } from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { Controller } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectTo, deadLetterOf, startService, unsettled, type TestService } from './bus-fixture.js';

const happened = defineEvent('test-happened', z.strictObject({ what: z.string() }));
const also = defineEvent('test-also-happened', z.strictObject({ n: z.number() }));
const FIRST_CONSUMER = 'first-test-happened';
const RETRIES = { maxDeliver: 3, backoffMs: [100, 200], ackWaitMs: 2_000 };

interface Seen {
  readonly by: string;
  readonly what: string;
  readonly delivery: number;
  readonly correlationId: string;
  readonly at: number;
}
const seen: Seen[] = [];
const outages = new Set<string>();
const counts = { dead: 0, redelivered: 0, outcomes: [] as string[] };
const observer: BusObserver = {
  deadLetter: () => counts.dead++,
  redelivery: () => counts.redelivered++,
  messageHandled: (kind, outcome) => counts.outcomes.push(`${kind}:${outcome}`),
};

function note(by: string, { what }: { what: string }, context: MessageContext): void {
  const { deliveryCount: delivery, correlationId } = context;
  seen.push({ by, what, delivery, correlationId, at: performance.now() });
}

@Controller()
class First {
  @OnEvent(happened, { durable: 'first', ...RETRIES })
  on(payload: { what: string }, context: MessageContext): void {
    note('first', payload, context);
    if (payload.what === 'final') throw new FidelisError('DATASET.MISMATCH', 'not\r\nmine');
    if (payload.what === 'always-retryable') throw new FidelisError('BUS.TIMEOUT', 'busy');
    if (payload.what === 'twice' && context.deliveryCount < 3)
      throw new FidelisError('STREAM.STALLED', 'busy');
    if (payload.what === 'bug-once' && context.deliveryCount < 2) throw new TypeError('a bug');
    if (outages.has(payload.what)) throw new FidelisError('DATABASE.UNAVAILABLE', 'no database');
  }
}

@Controller()
class Second {
  @OnEvent(happened, { durable: 'second', ...RETRIES })
  on(payload: { what: string }, context: MessageContext): void {
    note('second', payload, context);
  }
}

const deliveries = (by: string, what: string): Seen[] =>
  seen.filter((one) => one.by === by && one.what === what);

describe('events', () => {
  let nats: TestNats;
  let services: TestService[];
  let outside: NatsConnection;
  let publisher: EventPublisher;

  beforeAll(async () => {
    nats = await startTestNats();
    // Two instances of one service, and another service.
    services = [
      await startService(nats.url, [First], { observer }),
      await startService(nats.url, [First], { observer }),
      await startService(nats.url, [Second]),
    ];
    outside = await connectTo(nats.url);
    publisher = new EventPublisher(outside);
  });
  beforeEach(() => {
    seen.length = 0;
    Object.assign(counts, { dead: 0, redelivered: 0, outcomes: [] });
  });
  afterAll(async () => {
    await Promise.all((services ?? []).map((service) => service.close()));
    await outside?.close();
    await nats?.dispose();
  });

  it('reach each durable once, however many instances it has, with their correlation id', async () => {
    for (let i = 0; i < 20; i++)
      await publisher.publish(happened, 'x', { what: `n${i}` }, { correlationId: `c${i}` });
    await waitFor(() => seen.length >= 40, { what: '40 deliveries' });
    for (let i = 0; i < 20; i++) {
      for (const by of ['first', 'second']) {
        expect(deliveries(by, `n${i}`)).toMatchObject([{ delivery: 1, correlationId: `c${i}` }]);
      }
    }
    await waitFor(async () => (await unsettled(outside, STREAMS.events.name, FIRST_CONSUMER)) === 0, {
      what: 'all settled',
    });
    expect(counts.outcomes).toEqual(Array.from({ length: 20 }, () => 'event:done'));
  });

  it('are stored once when they are published twice with one message id', async () => {
    await publisher.publish(happened, 'x', { what: 'same' }, { messageId: 'same-1' });
    await publisher.publish(happened, 'x', { what: 'same' }, { messageId: 'same-1' });
    await publisher.publish(happened, 'x', { what: 'after' });
    await waitFor(() => deliveries('second', 'after').length === 1, { what: 'the event after' });
    expect(deliveries('second', 'same')).toHaveLength(1);
  });

  it('come again after growing waits when the handler fails for now', async () => {
    await publisher.publish(happened, 'x', { what: 'twice' });
    await waitFor(() => deliveries('first', 'twice').length === 3, { what: 'three deliveries' });
    const [one, two, three] = deliveries('first', 'twice');
    expect([one?.delivery, two?.delivery, three?.delivery]).toEqual([1, 2, 3]);
    expect((two?.at ?? 0) - (one?.at ?? 0)).toBeGreaterThanOrEqual(95);
    expect((three?.at ?? 0) - (two?.at ?? 0)).toBeGreaterThanOrEqual(195);
    expect(counts.redelivered).toBe(2);
    expect(deliveries('second', 'twice')).toHaveLength(1);
  });

  it('come again when the handler fails in an unforeseen way', async () => {
    await publisher.publish(happened, 'x', { what: 'bug-once' });
    await waitFor(() => deliveries('first', 'bug-once').length === 2, { what: 'the second delivery' });
  });

  it('are set aside with their reason on a final error', async () => {
    await publisher.publish(happened, 'final', { what: 'final' }, { correlationId: 'c-final' });
    const letter = await deadLetterOf(outside, eventSubject(happened, 'final'));
    expect(letter).toMatchObject({
      code: 'DATASET.MISMATCH',
      reason: 'not mine',
      stream: STREAMS.events.name,
      deliveries: '1',
    });
    expect(letter.message.subject).toBe(`fidelis.v1.dead.event.${FIRST_CONSUMER}`);
    expect(letter.message.json()).toEqual({ what: 'final' });
    expect(letter.message.header.get('Fidelis-Correlation-Id')).toBe('c-final');
    expect(deliveries('first', 'final')).toHaveLength(1);
    await waitFor(() => counts.dead === 1, { what: 'the count of the dead letter' });
  });

  it('are set aside after the last delivery', async () => {
    await publisher.publish(happened, 'worn', { what: 'always-retryable' });
    const letter = await deadLetterOf(outside, eventSubject(happened, 'worn'));
    expect(letter).toMatchObject({ code: 'BUS.TIMEOUT', deliveries: '3' });
    expect(deliveries('first', 'always-retryable')).toHaveLength(3);
  });

  it.each([
    ['that are not JSON', 'garbage', 'not { json'],
    ['of another type', 'foreign', '{"something":"else"}'],
  ])('%s are set aside, and the queue moves on', async (_, id, body) => {
    outside.publish(eventSubject(happened, id), body);
    await publisher.publish(happened, 'x', { what: `after-${id}` });
    const letter = await deadLetterOf(outside, eventSubject(happened, id));
    expect(letter.code).toBe('REQUEST.INVALID');
    expect(letter.message.string()).toBe(body);
    await waitFor(() => deliveries('first', `after-${id}`).length === 1, { what: 'the next event' });
  });

  it('with fields that only a newer version knows are handled', async () => {
    outside.publish(eventSubject(happened, 'newer'), JSON.stringify({ what: 'newer', color: 'red' }));
    await waitFor(() => deliveries('first', 'newer').length === 1, { what: 'the event' });
  });

  it('are kept, and not counted as delivered again, while the database is away', async () => {
    outages.add('patient');
    await publisher.publish(happened, 'patient', { what: 'patient' });
    await waitFor(() => deliveries('first', 'patient').length > 4, {
      what: 'more attempts than deliveries allowed',
    });
    outages.delete('patient');
    await waitFor(async () => (await unsettled(outside, STREAMS.events.name, FIRST_CONSUMER)) === 0, {
      what: 'the settlement',
    });
    expect(new Set(deliveries('first', 'patient').map(({ delivery }) => delivery))).toEqual(new Set([1]));
    expect(counts.dead).toBe(0);
  });

  it('refuse to be published with an unknown field or an id that is no token', async () => {
    const unknownField = { what: 'x', more: 1 } as { what: string };
    await expect(publisher.publish(happened, 'x', unknownField)).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
    });
    await expect(publisher.publish(happened, 'a.b', { what: 'x' })).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
    });
  });

  it('of several kinds can be followed under one durable name', async () => {
    const both: unknown[] = [];
    @Controller()
    class Both {
      @OnEvent(happened, { durable: 'both' })
      onHappened({ what }: { what: string }): void {
        if (what === 'for-both') both.push(what);
      }
      @OnEvent(also, { durable: 'both' })
      onAlso({ n }: { n: number }): void {
        both.push(n);
      }
    }
    const service = await startService(nats.url, [Both]);
    await publisher.publish(happened, 'x', { what: 'for-both' });
    await publisher.publish(also, 'x', { n: 7 });
    await waitFor(() => both.length === 2, { what: 'both events' });
    expect(new Set(both)).toEqual(new Set(['for-both', 7]));
    await service.close();
  });

  it('published before a durable existed reach it', async () => {
    await publisher.publish(happened, 'x', { what: 'early' });
    const early: string[] = [];
    @Controller()
    class Later {
      @OnEvent(happened, { durable: 'later' })
      on({ what }: { what: string }): void {
        early.push(what);
      }
    }
    const later = await startService(nats.url, [Later]);
    await waitFor(() => early.includes('early'), { what: 'the early event' });
    await later.close();
  });

  describe('followed live', () => {
    it('arrive by id, and stop with close', async () => {
      const subscriber = new EventSubscriber(outside);
      const followed = subscriber.subscribe(happened, 'one');
      const all = subscriber.subscribe(happened, '*');
      await outside.flush();
      await publisher.publish(happened, 'other', { what: 'a' });
      await publisher.publish(happened, 'one', { what: 'b' }, { correlationId: 'c-b' });
      await waitFor(() => deliveries('second', 'b').length === 1, { what: 'the events' });
      followed.close();
      all.close();
      const received: unknown[] = [];
      for await (const event of followed) received.push(event);
      expect(received).toEqual([{ id: 'one', payload: { what: 'b' }, correlationId: 'c-b' }]);
      const ids: string[] = [];
      for await (const event of all) ids.push(event.id);
      expect(ids).toEqual(['other', 'one']);
    });

    it('give way, oldest first, to newer ones when the follower is slow', async () => {
      const skipped: string[] = [];
      const subscriber = new EventSubscriber(outside, { followerSkipped: (reason) => skipped.push(reason) });
      const followed = subscriber.subscribe(happened, 'fast', { queueLimit: 3 });
      await outside.flush();
      for (let i = 0; i < 10; i++) await publisher.publish(happened, 'fast', { what: `f${i}` });
      await waitFor(() => skipped.length === 7, { what: 'seven dropped events' });
      followed.close();
      const received: string[] = [];
      for await (const event of followed) received.push(event.payload.what);
      expect(received).toEqual(['f7', 'f8', 'f9']);
    });
  });
});
