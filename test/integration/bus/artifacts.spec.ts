import { ArtifactStore, ensureTopology, type NatsConnection } from '@fidelis/bus';
import { ARTIFACTS_BUCKET, sha256Hex } from '@fidelis/contracts';
import { startTestNats, type TestNats } from '@fidelis/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Objm } from '@nats-io/obj';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTo, storedMessages } from './bus-fixture.js';

const OBJECTS = `OBJ_${ARTIFACTS_BUCKET}`;

function blob(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + seed) % 251);
}

describe('ArtifactStore', () => {
  let nats: TestNats;
  let connection: NatsConnection;
  let store: ArtifactStore;

  beforeAll(async () => {
    nats = await startTestNats();
    connection = await connectTo(nats.url);
    await ensureTopology(connection);
    store = new ArtifactStore(connection, { readDeadlineMs: 500 });
  });
  afterAll(async () => {
    await connection?.close();
    await nats?.dispose();
  });

  it.each([0, 1, 250_000, 2_400_000])(
    'gives back %i bytes as they were stored, by their sha-256',
    async (size) => {
      const bytes = blob(size, size);
      const digest = await store.put(bytes);
      expect(digest).toBe(sha256Hex(bytes));
      expect(await store.has(digest)).toBe(true);
      expect(Buffer.compare(await store.get(digest), bytes)).toBe(0);
    },
  );

  it('stores the same bytes once', async () => {
    const bytes = blob(700_000, 7);
    await store.put(bytes);
    const before = await storedMessages(connection, OBJECTS);
    await store.put(bytes);
    expect(await storedMessages(connection, OBJECTS)).toBe(before);
  });

  it('can be given the same bytes by several at once', async () => {
    const bytes = blob(300_000, 8);
    const digests = await Promise.all(Array.from({ length: 4 }, () => store.put(bytes)));
    expect(new Set(digests).size).toBe(1);
    expect(Buffer.compare(await store.get(digests[0] ?? ''), bytes)).toBe(0);
  });

  it('says ARTIFACT.NOT_FOUND of what is not there', async () => {
    const digest = sha256Hex('nothing');
    expect(await store.has(digest)).toBe(false);
    await expect(store.get(digest)).rejects.toMatchObject({
      code: 'ARTIFACT.NOT_FOUND',
      details: { digest },
    });
  });

  it('says ARTIFACT.CORRUPT of other bytes under the digest', async () => {
    const digest = sha256Hex('the right bytes');
    const objects = await new Objm(jetstream(connection)).open(ARTIFACTS_BUCKET);
    await objects.putBlob({ name: digest }, new TextEncoder().encode('the wrong bytes'));
    await expect(store.get(digest)).rejects.toMatchObject({ code: 'ARTIFACT.CORRUPT' });
  });

  it('says ARTIFACT.CORRUPT of an artifact with a damaged chunk', async () => {
    const digest = await store.put(blob(1_000, 9));
    const objects = await new Objm(jetstream(connection)).open(ARTIFACTS_BUCKET);
    const nuid = (await objects.info(digest))?.nuid ?? '';
    const manager = await jetstreamManager(connection);
    await manager.streams.purge(OBJECTS, { filter: `$O.${ARTIFACTS_BUCKET}.C.${nuid}` });
    await jetstream(connection).publish(`$O.${ARTIFACTS_BUCKET}.C.${nuid}`, blob(1_000, 10));
    await expect(store.get(digest)).rejects.toMatchObject({ code: 'ARTIFACT.CORRUPT' });
  });

  it('says ARTIFACT.CORRUPT, instead of waiting, when chunks are missing', async () => {
    const digest = await store.put(blob(1_500_000, 11));
    const objects = await new Objm(jetstream(connection)).open(ARTIFACTS_BUCKET);
    const nuid = (await objects.info(digest))?.nuid ?? '';
    const manager = await jetstreamManager(connection);
    await manager.streams.purge(OBJECTS, { filter: `$O.${ARTIFACTS_BUCKET}.C.${nuid}` });
    await expect(store.get(digest)).rejects.toMatchObject({ code: 'ARTIFACT.CORRUPT' });
  });

  it('stores and reads through a restart of NATS', async () => {
    const bytes = blob(400_000, 12);
    await nats.kill();
    const putting = store.put(bytes);
    await nats.restart();
    const digest = await putting;
    await nats.kill();
    const getting = store.get(digest);
    await nats.restart();
    expect(Buffer.compare(await getting, bytes)).toBe(0);
  });
});
