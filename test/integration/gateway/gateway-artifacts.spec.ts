import { connect } from 'node:net';
import { ArtifactStore, connectBus, ensureTopology, type NatsConnection } from '@fidelis/bus';
import { sha256Hex } from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type RunningGateway } from './gateway-harness.js';

const LIMIT = 3_000_000;

describe('artifacts over HTTP', () => {
  let nats: TestNats;
  let gateway: RunningGateway;
  let connection: NatsConnection;
  let store: ArtifactStore;

  beforeAll(async () => {
    nats = await startTestNats();
    gateway = await startGateway(nats.url, { FIDELIS_UPLOAD_LIMIT_BYTES: String(LIMIT) });
    connection = await connectBus({ servers: nats.url, name: 'test' });
    await ensureTopology(connection);
    store = new ArtifactStore(connection);
  });

  afterAll(async () => {
    await connection?.close();
    await gateway?.stop();
    await nats?.dispose();
  });

  const bytesOf = (length: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.from({ length }, (_, index) => (index * 31 + length) % 251);
  const put = (digest: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/artifacts/${digest}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': 'application/octet-stream', ...headers },
    });

  it.each([0, 5, 2_500_000])('of %i bytes are stored under their digest, and come back', async (length) => {
    const bytes = bytesOf(length);
    const digest = sha256Hex(bytes);
    const url = `${gateway.url}/artifacts/${digest}`;
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(404);
    const response = await put(digest, bytes);
    expect([response.status, await response.json()]).toEqual([201, { digest, bytes: length }]);
    expect(Buffer.compare(await store.get(digest), bytes)).toBe(0);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(length)]);
    const back = new Uint8Array(await (await fetch(url)).arrayBuffer());
    expect(Buffer.compare(back, bytes)).toBe(0);
    expect((await put(digest, bytes)).status).toBe(201);
  });

  it('are not stored under another digest', async () => {
    const digest = sha256Hex(bytesOf(3));
    const response = await put(digest, bytesOf(700_000));
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ error: { code: 'ARTIFACT.CORRUPT' } });
    expect(await store.has(digest)).toBe(false);
  });

  it('are not stored where the client is gone in the middle, and nothing is left of them', async () => {
    const digest = sha256Hex(bytesOf(2_000_000));
    const manager = await jetstreamManager(connection);
    const blobs = async (): Promise<number> => {
      const { state } = await manager.streams.info('OBJ_fidelis-artifacts', { subjects_filter: '$O.*.C.>' });
      return Object.keys(state.subjects ?? {}).length;
    };
    const before = await blobs();
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `PUT /artifacts/${digest} HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: 2000000\r\n\r\n`,
    );
    socket.write(bytesOf(2_000_000).subarray(0, 1_500_000));
    await waitFor(async () => (await blobs()) > before, { what: 'the first chunks' });
    socket.destroy();
    await waitFor(async () => (await blobs()) === before, { what: 'nothing of it to be left' });
    expect(await store.has(digest)).toBe(false);
  });

  it.each([
    ['a name that is no digest', () => put('nonsense', bytesOf(3)), 400, 'REQUEST.INVALID'],
    [
      'more than is allowed',
      () => put(sha256Hex(bytesOf(LIMIT + 1)), bytesOf(LIMIT + 1)),
      400,
      'REQUEST.TOO_COMPLEX',
    ],
    [
      'a body of another type',
      () => put(sha256Hex(bytesOf(3)), '{}', { 'content-type': 'application/json' }),
      400,
      'REQUEST.INVALID',
    ],
    [
      'a page from elsewhere',
      () => put(sha256Hex(bytesOf(3)), bytesOf(3), { origin: 'https://example.org' }),
      400,
      'REQUEST.INVALID',
    ],
    [
      'what is not there',
      () => fetch(`${gateway.url}/artifacts/${'0'.repeat(64)}`),
      404,
      'ARTIFACT.NOT_FOUND',
    ],
  ])('refuse %s', async (_, request: () => Promise<Response>, status, code) => {
    const response = await request();
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });
});
