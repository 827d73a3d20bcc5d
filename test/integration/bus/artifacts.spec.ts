import { ArtifactInventory, ArtifactStore, ensureTopology, type NatsConnection } from '@fidelis/bus';
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

  async function* chunksOf(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    await Promise.resolve();
  }

  it.each([0, 1, 2_400_000])('takes and gives %i bytes in chunks', async (size) => {
    const bytes = blob(size, size + 1);
    const digest = sha256Hex(bytes);
    expect(await store.putStream(digest, chunksOf(bytes))).toBe(size);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await store.stream(digest)) chunks.push(chunk);
    expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0);
    expect(await store.size(digest)).toBe(size);
    expect(await store.putStream(digest, chunksOf(blob(5, 5)))).toBe(size);
  });

  it('keeps nothing of chunks that are other bytes than their digest says, or that break off', async () => {
    const before = await storedMessages(connection, OBJECTS);
    const digest = sha256Hex(blob(10, 3));
    const wrong = store.putStream(digest, chunksOf(blob(900_000, 4)));
    await expect(wrong).rejects.toMatchObject({ code: 'ARTIFACT.CORRUPT' });
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield* chunksOf(blob(700_000, 4));
      throw new Error('the client is gone');
    }
    await expect(store.putStream(digest, breaking())).rejects.toThrow('the client is gone');
    expect(await store.has(digest)).toBe(false);
    expect(await storedMessages(connection, OBJECTS)).toBe(before);
    await expect(store.stream(digest)).rejects.toMatchObject({ code: 'ARTIFACT.NOT_FOUND' });
  });

  it('can be looked through, and things be taken out of it for good', async () => {
    const inventory = new ArtifactInventory(connection);
    const digest = await store.put(blob(1_200_000, 91));
    const before = await storedMessages(connection, OBJECTS);
    const entry = (await inventory.list()).find((artifact) => artifact.digest === digest);
    expect(entry).toMatchObject({ bytes: 1_200_000 });
    expect(Date.now() - (entry?.storedAt.getTime() ?? 0)).toBeLessThan(60_000);
    await inventory.remove(digest);
    await inventory.remove(digest);
    expect(await store.has(digest)).toBe(false);
    expect((await inventory.list()).some((artifact) => artifact.digest === digest)).toBe(false);
    // Three chunks and the name.
    expect(await storedMessages(connection, OBJECTS)).toBe(before - 4);
    expect(await store.put(blob(1_200_000, 91))).toBe(digest);
  });

  it('loses the chunks of a writer that was killed before it named them, and none of the others', async () => {
    const inventory = new ArtifactInventory(connection);
    const digest = await store.put(blob(800_000, 92));
    const before = await storedMessages(connection, OBJECTS);
    await jetstream(connection).publish(`$O.${ARTIFACTS_BUCKET}.C.ABANDONED`, blob(1_000, 1));
    expect(await inventory.removeUnnamed(new Date(Date.now() - 60_000))).toBe(0);
    expect(await inventory.removeUnnamed(new Date(Date.now() + 60_000))).toBeGreaterThan(1_000);
    expect(await storedMessages(connection, OBJECTS)).toBe(before);
    expect((await store.get(digest)).length).toBe(800_000);
  });

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
