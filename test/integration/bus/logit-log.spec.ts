import { LogitLog, type NatsConnection, type ReadOptions, type StoredFrame } from '@fidelis/bus';
import {
  decodeFrame,
  encodeFrame,
  logitStreamName,
  logitSubject,
  RUNS_BUCKET,
  type LogitFrame,
} from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectTo } from './bus-fixture.js';

const PARTS = 2;

function frame(key: string, step: number, part: number, overrides: Partial<LogitFrame> = {}): Uint8Array {
  return encodeFrame({
    codec: 'f32',
    part,
    parts: PARTS,
    streamKey: key,
    step,
    rows: 1,
    members: 1,
    classes: 3,
    inputDigest: '00000000000000ff',
    values: Float32Array.of(step, part, step * PARTS + part),
    ...overrides,
  });
}

const step = (key: string, number: number): Uint8Array[] => [frame(key, number, 0), frame(key, number, 1)];

/** [step, part] of each frame. */
async function collect(frames: AsyncIterable<StoredFrame>): Promise<number[][]> {
  const places: number[][] = [];
  for await (const { step: number, part, bytes } of frames) {
    expect([...decodeFrame(bytes).values]).toEqual([number, part, number * PARTS + part]);
    places.push([number, part]);
  }
  return places;
}

const places = (from: number, to: number): number[][] =>
  Array.from({ length: (to - from) * PARTS }, (_, i) => [from + Math.floor(i / PARTS), i % PARTS]);

describe('LogitLog', () => {
  let nats: TestNats;
  let connections: NatsConnection[];
  let log: LogitLog;
  let rival: LogitLog;
  let key: string;
  let keys = 0;

  const append = async (from: number, to: number): Promise<void> => {
    for (let number = from; number < to; number++) {
      expect(await log.append(key, PARTS, number, step(key, number))).toBe('stored');
    }
  };
  const read = (options: Partial<ReadOptions>): AsyncIterable<StoredFrame> =>
    log.read(key, { parts: PARTS, fromStep: 0, ...options });
  const readers = async (): Promise<number> => {
    const manager = await jetstreamManager(connections[0] as NatsConnection);
    return (await manager.streams.info(logitStreamName(key))).state.consumer_count;
  };

  beforeAll(async () => {
    nats = await startTestNats();
    connections = [await connectTo(nats.url), await connectTo(nats.url)];
    [log, rival] = connections.map((connection) => new LogitLog(connection)) as [LogitLog, LogitLog];
  });
  beforeEach(async () => {
    key = (++keys).toString(16).padStart(16, '0');
    await log.ensure(key);
  });
  afterAll(async () => {
    await Promise.all((connections ?? []).map((connection) => connection.close()));
    await nats?.dispose();
  });

  it('creates a stream once, however many publishers ask for it', async () => {
    await Promise.all([log.ensure(key), rival.ensure(key), log.ensure(key)]);
    expect(await log.info(key)).toMatchObject({ stream: logitStreamName(key), messages: 0, lastSequence: 0 });
    expect(await log.lastStep(key, PARTS)).toBe(-1);
  });

  it('has no step and no info of a stream that does not exist', async () => {
    expect(await log.lastStep('ffffffffffffffff', PARTS)).toBe(-1);
    expect(await log.info('ffffffffffffffff')).toBeUndefined();
    await log.remove('ffffffffffffffff');
    const missing = log.append('ffffffffffffffff', PARTS, 0, step('ffffffffffffffff', 0));
    await expect(missing).rejects.toMatchObject({ code: 'STREAM.NOT_FOUND' });
    const reading = collect(log.read('ffffffffffffffff', { parts: PARTS, fromStep: 0 }));
    await expect(reading).rejects.toMatchObject({ code: 'STREAM.NOT_FOUND' });
  });

  it('tells a publisher that is behind, and one that is ahead, to read where the log ends', async () => {
    await append(0, 3);
    expect(await rival.append(key, PARTS, 1, step(key, 1))).toBe('behind');
    expect(await rival.append(key, PARTS, 2, step(key, 2))).toBe('behind');
    expect(await rival.append(key, PARTS, 7, step(key, 7))).toBe('behind');
    expect(await rival.lastStep(key, PARTS)).toBe(2);
    expect((await log.info(key))?.lastSequence).toBe(3 * PARTS);
  });

  it('completes a step of which another publisher stored the first part only', async () => {
    await append(0, 1);
    connections[0]?.publish(logitSubject(key), frame(key, 1, 0));
    await waitFor(async () => (await log.info(key))?.messages === 3, { what: 'the half step' });
    expect(await log.lastStep(key, PARTS)).toBe(0);
    expect(await log.append(key, PARTS, 1, step(key, 1))).toBe('stored');
    expect(await collect(read({ toStep: 2 }))).toEqual(places(0, 2));
  });

  it('holds each frame once, without a hole, when two publishers race', async () => {
    const steps = 100;
    const publish = async (publisher: LogitLog): Promise<number> => {
      let stored = 0;
      for (let number = 0; number < steps;) {
        const outcome = await publisher.append(key, PARTS, number, step(key, number));
        if (outcome === 'stored') stored++;
        number = outcome === 'stored' ? number + 1 : (await publisher.lastStep(key, PARTS)) + 1;
      }
      return stored;
    };
    const stored = await Promise.all([publish(log), publish(rival)]);
    expect((stored[0] ?? 0) + (stored[1] ?? 0)).toBeGreaterThanOrEqual(steps);
    expect(await log.info(key)).toMatchObject({ messages: steps * PARTS, lastSequence: steps * PARTS });
    expect(await collect(read({ toStep: steps }))).toEqual(places(0, steps));
  });

  it('goes on after the last whole step when a publisher is restarted', async () => {
    await append(0, 5);
    const restarted = await connectTo(nats.url);
    const other = new LogitLog(restarted);
    const next = (await other.lastStep(key, PARTS)) + 1;
    expect(next).toBe(5);
    expect(await other.append(key, PARTS, next, step(key, next))).toBe('stored');
    await restarted.close();
    expect(await collect(read({ toStep: 6 }))).toEqual(places(0, 6));
  });

  it('stores each frame once when NATS is killed while a publisher appends', async () => {
    const publishing = append(0, 300);
    await waitFor(async () => (await rival.lastStep(key, PARTS)) >= 20, { what: 'some steps' });
    await nats.kill();
    await nats.restart();
    await publishing;
    expect(await log.info(key)).toMatchObject({ messages: 300 * PARTS, lastSequence: 300 * PARTS });
    expect(await collect(read({ toStep: 300 }))).toEqual(places(0, 300));
  });

  it('replays all of it, or from the middle, and leaves no consumer behind', async () => {
    await append(0, 50);
    expect(await collect(read({ toStep: 50 }))).toEqual(places(0, 50));
    expect(await collect(read({ fromStep: 37, toStep: 50 }))).toEqual(places(37, 50));
    expect(await collect(read({ fromStep: 10, toStep: 10 }))).toEqual([]);
    expect(await readers()).toBe(0);
  });

  it('is followed live, from before the first frame on, by several readers', async () => {
    const following = [
      collect(read({ toStep: 40 })),
      collect(rival.read(key, { parts: PARTS, fromStep: 0, toStep: 40 })),
    ];
    await append(0, 40);
    expect(await Promise.all(following)).toEqual([places(0, 40), places(0, 40)]);
  });

  it('ends a reader that is called off, without an error, also while it waits', async () => {
    await append(0, 2);
    const controller = new AbortController();
    const received: number[][] = [];
    const reading = (async () => {
      for await (const { step: number, part } of read({ signal: controller.signal }))
        received.push([number, part]);
    })();
    await waitFor(() => received.length === 4, { what: 'what is there' });
    controller.abort();
    await reading;
    expect(await readers()).toBe(0);
  });

  it('can be left in the middle', async () => {
    await append(0, 10);
    for await (const { step: number } of read({})) if (number === 3) break;
    expect(await readers()).toBe(0);
  });

  it('brings a reader every frame once although NATS is killed twice', async () => {
    const received: number[][] = [];
    const reading = (async () => {
      for await (const { step: number, part } of read({ toStep: 60 })) received.push([number, part]);
    })();
    await append(0, 20);
    await waitFor(() => received.length === 40, { what: 'the first part' });
    await nats.kill();
    await nats.restart();
    await append(20, 40);
    await nats.kill();
    await nats.restart();
    await append(40, 60);
    await reading;
    expect(received).toEqual(places(0, 60));
  });

  it('brings a reader every frame although its consumer is deleted', async () => {
    const reading = collect(read({ toStep: 4 }));
    await append(0, 2);
    const manager = await jetstreamManager(connections[0] as NatsConnection);
    const name = await waitFor(
      async () => {
        for await (const consumer of manager.consumers.list(logitStreamName(key))) return consumer.name;
        return undefined;
      },
      { what: 'the consumer' },
    );
    await manager.consumers.delete(logitStreamName(key), name);
    await append(2, 4);
    expect(await reading).toEqual(places(0, 4));
  });

  it('does not drown a reader that is slow', async () => {
    await append(0, 60);
    const received: number[][] = [];
    for await (const { step: number, part } of read({ toStep: 60, silenceMs: 1_000 })) {
      received.push([number, part]);
      // Longer than the pull lives: what is under way stays bounded, and nothing is lost.
      if (received.length === 5) await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
    expect(received).toEqual(places(0, 60));
  });

  it.each([
    ['of another stream', (): Uint8Array => frame('abcdefabcdefabcd', 1, 0), 'FRAME.FOREIGN'],
    ['of another step', (): Uint8Array => frame(key, 9, 0), 'FRAME.FOREIGN'],
    ['with another number of parts', (): Uint8Array => frame(key, 1, 0, { parts: 3 }), 'FRAME.FOREIGN'],
    ['cut short', (): Uint8Array => frame(key, 1, 0).subarray(0, 50), 'FRAME.INVALID'],
    ['of garbage', (): Uint8Array => new TextEncoder().encode('hello'), 'FRAME.INVALID'],
    ['of nothing', (): Uint8Array => new Uint8Array(0), 'FRAME.INVALID'],
  ])(
    'rejects a frame %s that somebody put on the subject, and delivers what was before it',
    async (_, bad, code) => {
      await append(0, 1);
      connections[1]?.publish(logitSubject(key), bad());
      const received: number[][] = [];
      const reading = (async () => {
        for await (const { step: number, part } of read({ toStep: 2 })) received.push([number, part]);
      })();
      await expect(reading).rejects.toMatchObject({ code });
      expect(received).toEqual(places(0, 1));
      expect(await readers()).toBe(0);
    },
  );

  it('reports STREAM.GONE where the wanted step was purged: which steps there are, and how to get it back', async () => {
    await append(0, 10);
    await log.purge(key, { parts: PARTS, beforeStep: 4 });
    await expect(collect(read({ fromStep: 2, toStep: 10 }))).rejects.toMatchObject({
      code: 'STREAM.GONE',
      message: expect.stringMatching(
        /step 2 .* is gone: it has steps 4 to 9\. .*produces it again/,
      ) as string,
      details: { key, step: 2, firstStep: 4, endStep: 10 },
    });
    expect(await collect(read({ fromStep: 4, toStep: 10 }))).toEqual(places(4, 10));
    expect(await log.steps(key, PARTS)).toMatchObject({ firstStep: 4, endStep: 10, hasGap: false });
  });

  it('purges what is stored and no more, again and again, and grows on where it ended', async () => {
    await append(0, 6);
    const before = (await log.info(key))?.bytes ?? 0;
    await log.purge(key, { parts: PARTS, beforeStep: 2 });
    await log.purge(key, { parts: PARTS, beforeStep: 1 });
    expect(await log.steps(key, PARTS)).toMatchObject({ firstStep: 2, endStep: 6 });
    expect((await log.info(key))?.bytes).toBeLessThan(before * 0.7);
    await log.purge(key, { parts: PARTS, beforeStep: 99 });
    expect(await log.steps(key, PARTS)).toEqual({ firstStep: 6, endStep: 6, bytes: 0, hasGap: false });
    await append(6, 8);
    expect(await collect(read({ fromStep: 6, toStep: 8 }))).toEqual(places(6, 8));
    await log.purge('fffffffffffffffe', { parts: PARTS, beforeStep: 5 });
  });

  it('gives readers that wait what was lost, once it is produced again, each frame once', async () => {
    await append(0, 10);
    const losses: string[] = [];
    const waiting = (fromStep: number): Promise<number[][]> =>
      collect(
        read({
          fromStep,
          toStep: 12,
          silenceMs: 1_000,
          onGone: 'wait',
          onLoss: ({ code }) => losses.push(code),
        }),
      );
    const ahead = waiting(9);
    await waitFor(async () => (await readers()) === 1, { what: 'the reader that is ahead' });
    await log.purge(key, { parts: PARTS, beforeStep: 5 });
    const behind = waiting(3);
    await waitFor(() => losses.includes('STREAM.GONE'), { what: 'the loss' });
    await log.renew(key, { parts: PARTS, firstStep: 3 });
    expect(await log.steps(key, PARTS)).toMatchObject({ firstStep: 3, endStep: 3 });
    await append(3, 12);
    expect(await ahead).toEqual(places(9, 12));
    expect(await behind).toEqual(places(3, 12));
    expect(await readers()).toBe(0);
  });

  it('gives readers that wait a message that was deleted from the middle, and one of a log that was removed', async () => {
    await append(0, 10);
    const manager = await jetstreamManager(connections[0] as NatsConnection);
    await manager.streams.deleteMessage(logitStreamName(key), 9);
    expect(await log.steps(key, PARTS)).toMatchObject({ hasGap: true });
    const losses: string[] = [];
    const reading = collect(read({ toStep: 12, onGone: 'wait', onLoss: ({ code }) => losses.push(code) }));
    await waitFor(() => losses.length === 1, { what: 'the gap' });
    expect(losses).toEqual(['STREAM.GAP']);
    await log.remove(key);
    await log.renew(key, { parts: PARTS, firstStep: 4 });
    await append(4, 12);
    expect(await reading).toEqual(places(0, 12));
  });

  it('gives up on what does not come back', async () => {
    await append(0, 4);
    await log.purge(key, { parts: PARTS, beforeStep: 2 });
    const reading = collect(read({ fromStep: 1, toStep: 4, onGone: 'wait', goneLimitMs: 700 }));
    await expect(reading).rejects.toMatchObject({ code: 'STREAM.GONE', retryable: true });
    const atOnce = collect(read({ fromStep: 1, toStep: 4 }));
    await expect(atOnce).rejects.toMatchObject({ code: 'STREAM.GONE', retryable: false });
    expect(await readers()).toBe(0);
  });

  it('is begun anew only where it cannot be gone on with, also when two replicas want that at once', async () => {
    await append(0, 6);
    const renew = (who: LogitLog, firstStep: number): Promise<boolean> =>
      who.renew(key, { parts: PARTS, firstStep });
    expect([await renew(log, 0), await renew(log, 3), await renew(log, 6)]).toEqual([false, false, false]);
    expect(await log.steps(key, PARTS)).toMatchObject({ firstStep: 0, endStep: 6 });
    await log.purge(key, { parts: PARTS, beforeStep: 4 });
    expect(await renew(log, 2)).toBe(true);
    expect(await renew(rival, 2)).toBe(false);
    for (let round = 0; round < 10; round++) {
      await log.purge(key, { parts: PARTS, beforeStep: 99 });
      await append((await log.lastStep(key, PARTS)) + 1, 4 + round);
      await log.purge(key, { parts: PARTS, beforeStep: 3 + round });
      await Promise.all([renew(log, 2), renew(rival, 1), renew(rival, 2)]);
      // As the next look of teacher-svc: of what two remove and make at once, the server may keep what one of them has removed.
      await renew(log, 2);
      const steps = await log.steps(key, PARTS);
      expect([1, 2]).toContain(steps?.firstStep);
      await append(steps?.endStep ?? 0, 4);
    }
  });

  it('can be made and removed although somebody died while doing that, and is locked no longer than it must', async () => {
    const bucket = await new Kvm(jetstream(connections[1] as NatsConnection)).open(RUNS_BUCKET);
    const lock = `logits.${key}`;
    expect(await bucket.get(lock)).toBeNull();
    await bucket.put(lock, '{}');
    const begin = performance.now();
    await Promise.all([log.remove(key), rival.remove(key)]);
    expect(performance.now() - begin).toBeGreaterThan(9_000);
    expect(await log.info(key)).toBeUndefined();
    expect(await bucket.get(lock)).toBeNull();
  });

  it('says STREAM.QUOTA where the stream is full, with what is used of what, and goes on once there is room', async () => {
    await append(0, 2);
    const manager = await jetstreamManager(connections[0] as NatsConnection);
    const { config, state } = await manager.streams.info(logitStreamName(key));
    const limitBytes = state.bytes + 10;
    await manager.streams.update(logitStreamName(key), { ...config, max_bytes: limitBytes });
    await expect(log.append(key, PARTS, 2, step(key, 2))).rejects.toMatchObject({
      code: 'STREAM.QUOTA',
      retryable: true,
      message: expect.stringMatching(
        /fidelis gc.*FIDELIS_STREAM_QUOTA_BYTES.*used: \d+ bytes of \d+/,
      ) as string,
      details: { key, usedBytes: state.bytes, limitBytes },
    });
    await log.purge(key, { parts: PARTS, beforeStep: 2 });
    await append(2, 4);
  });

  it('is not moved along by a purge of what it will have after it was begun anew', async () => {
    await append(0, 10);
    await log.purge(key, { parts: PARTS, beforeStep: 8 });
    await Promise.all([
      log.renew(key, { parts: PARTS, firstStep: 3 }),
      rival.purge(key, { parts: PARTS, beforeStep: 8 }),
    ]);
    expect(await log.steps(key, PARTS)).toMatchObject({ firstStep: 3, endStep: 3 });
  });

  it('lists all logs', async () => {
    await append(0, 3);
    const mine = (await log.list()).find((info) => info.key === key);
    expect(mine).toEqual(await log.info(key));
    expect(mine).toMatchObject({ messages: 3 * PARTS, stream: logitStreamName(key) });
    const logs = await log.list();
    expect(await log.usage()).toEqual({
      bytes: logs.reduce((sum, { bytes }) => sum + bytes, 0),
      streams: logs.length,
    });
  });

  it('reports STREAM.GAP where a single message was deleted', async () => {
    await append(0, 10);
    const manager = await jetstreamManager(connections[0] as NatsConnection);
    await manager.streams.deleteMessage(logitStreamName(key), 9);
    const received: number[][] = [];
    const reading = (async () => {
      for await (const { step: number, part } of read({ toStep: 10 })) received.push([number, part]);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'STREAM.GAP', details: { sequence: 9 } });
    expect(received).toEqual(places(0, 4));
  });

  it('tells a reader that waits when what it waits for can not come any more', async () => {
    await append(0, 2);
    const waiting = expect(collect(read({ fromStep: 2, silenceMs: 1_000 }))).rejects.toMatchObject({
      code: 'STREAM.GONE',
    });
    const manager = await jetstreamManager(connections[0] as NatsConnection);
    await waitFor(async () => (await readers()) === 1, { what: 'the reader' });
    // Moves the end of the log along.
    await manager.streams.purge(logitStreamName(key), { seq: 9 * PARTS });
    await waiting;
  });

  it('tells a reader that waits when the stream is removed', async () => {
    await append(0, 2);
    const waiting = expect(collect(read({}))).rejects.toMatchObject({ code: 'STREAM.NOT_FOUND' });
    await waitFor(async () => (await readers()) === 1, { what: 'the reader' });
    await log.remove(key);
    await waiting;
  });

  it('can begin anew at a later step', async () => {
    await log.remove(key);
    await log.ensure(key, { firstStep: 7, parts: PARTS });
    expect(await log.lastStep(key, PARTS)).toBe(6);
    await append(7, 9);
    expect(await collect(read({ fromStep: 7, toStep: 9 }))).toEqual(places(7, 9));
    await expect(collect(read({ fromStep: 6, toStep: 9 }))).rejects.toMatchObject({ code: 'STREAM.GONE' });
  });

  it('refuses a step without all of its parts', async () => {
    await expect(log.append(key, PARTS, 0, [frame(key, 0, 0)])).rejects.toMatchObject({
      code: 'FRAME.INVALID',
    });
  });
});
