import { createTestDatabase, startTestPostgres, waitFor, type TestPostgres } from '@fidelis/testing';
import { openDatabase, Outbox, OutboxMessage, type OutgoingMessage } from '@fidelis/persistence';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const message = (n: number): OutgoingMessage => ({
  subject: `fidelis.v1.events.test.${n}`,
  payload: { n },
  correlationId: `c-${n}`,
});

describe('the outbox', () => {
  let postgres: TestPostgres;
  let dataSource: DataSource;
  const outboxes: Outbox[] = [];

  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterAll(() => postgres.dispose());

  beforeEach(async () => {
    const { url } = await createTestDatabase(postgres);
    dataSource = await openDatabase({ url, schema: 'test', entities: [], migrations: [] });
  });
  afterEach(async () => {
    await Promise.all(outboxes.splice(0).map((outbox) => outbox.stop()));
    await dataSource.destroy();
  });

  /** An outbox, and what it published and could not publish. */
  function outboxOf(publish: (n: number) => void | Promise<void> = () => undefined): {
    outbox: Outbox;
    published: { n: number; id: string; correlationId: string }[];
    errors: unknown[];
  } {
    const published: { n: number; id: string; correlationId: string }[] = [];
    const errors: unknown[] = [];
    const outbox = new Outbox(
      dataSource,
      async ({ id, payload, correlationId }) => {
        const { n } = payload as { n: number };
        await publish(n);
        published.push({ n, id, correlationId });
      },
      (error) => errors.push(error),
    );
    outboxes.push(outbox);
    return { outbox, published, errors };
  }

  const decide = (outbox: Outbox, ...numbers: number[]): Promise<void> =>
    dataSource.transaction((manager) => outbox.add(manager, ...numbers.map(message)));

  const waiting = (): Promise<number> => dataSource.manager.count(OutboxMessage);

  const empty = (): Promise<unknown> =>
    waitFor(async () => (await waiting()) === 0, { what: 'an empty outbox' });

  it('publishes what was decided, after the commit, in order', async () => {
    const { outbox, published } = outboxOf();
    await dataSource.transaction(async (manager) => {
      await outbox.add(manager, message(1), message(2));
      outbox.kick();
      await outbox.add(manager, message(3));
      // Another connection, as the relay's, sees nothing yet.
      expect(await waiting()).toBe(0);
      expect(published).toEqual([]);
    });
    await decide(outbox, ...Array.from({ length: 150 }, (_, i) => i + 4));
    outbox.kick();
    await empty();
    expect(published.map(({ n }) => n)).toEqual(Array.from({ length: 153 }, (_, i) => i + 1));
    expect(published[0]?.correlationId).toBe('c-1');
  });

  it('publishes nothing of a transaction that was rolled back', async () => {
    const { outbox, published } = outboxOf();
    const rolledBack = dataSource.transaction(async (manager) => {
      await outbox.add(manager, message(1));
      throw new Error('changed my mind');
    });
    await expect(rolledBack).rejects.toThrow('changed my mind');
    await decide(outbox, 2);
    outbox.kick();
    await empty();
    expect(published.map(({ n }) => n)).toEqual([2]);
  });

  it('publishes again, in order and with the same id, what could not be published', async () => {
    let away = true;
    const tried: number[] = [];
    const { outbox, published, errors } = outboxOf((n) => {
      tried.push(n);
      if (away && n === 2) throw new Error('no broker');
    });
    await decide(outbox, 1, 2, 3);
    outbox.kick();
    await waitFor(() => errors.length > 0, { what: 'a failure to publish' });
    expect(tried).toEqual([1, 2]);
    expect(await waiting()).toBe(3);
    away = false;
    outbox.kick();
    await empty();
    expect(published.map(({ n }) => n)).toEqual([1, 1, 2, 3]);
    expect(published[0]?.id).toBe(published[1]?.id);
    expect(errors).toHaveLength(1);
  });

  it('publishes without being told, at the next poll', async () => {
    const { outbox, published } = outboxOf();
    outbox.start();
    await decide(outbox, 1);
    await empty();
    expect(published).toHaveLength(1);
  });

  it('is relayed by one replica at a time', async () => {
    let inHand = 0;
    let most = 0;
    const publish = async (): Promise<void> => {
      inHand += 1;
      most = Math.max(most, inHand);
      await new Promise((resolve) => setTimeout(resolve, 2));
      inHand -= 1;
    };
    const [one, two] = [outboxOf(publish), outboxOf(publish)];
    await decide(one.outbox, ...Array.from({ length: 40 }, (_, i) => i));
    const relays = setInterval(() => {
      one.outbox.kick();
      two.outbox.kick();
    }, 1);
    await empty().finally(() => clearInterval(relays));
    await Promise.all([one.outbox.stop(), two.outbox.stop()]);
    expect(most).toBe(1);
    expect([...one.published, ...two.published].map(({ n }) => n).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, i) => i),
    );
  });

  it('finishes what is in hand when it stops, and begins nothing more', async () => {
    let release: (() => void) | undefined;
    const { outbox, published } = outboxOf(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    await decide(outbox, 1);
    outbox.kick();
    await waitFor(() => release, { what: 'the first message in hand' });
    const stopped = outbox.stop();
    await decide(outbox, 2);
    outbox.kick();
    release?.();
    await stopped;
    expect(published.map(({ n }) => n)).toEqual([1]);
    expect(await waiting()).toBe(1);
  });
});
