import { connectBus, LogitLog, type NatsConnection } from '@fidelis/bus';
import { encodeFrame, type StreamDetails } from '@fidelis/contracts';
import { streamDetails } from '@fidelis/gateway/fixtures';
import { startTestNats, type TestNats } from '@fidelis/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakePlatform, startFakes, type RunningFakes } from './fake-services.js';
import { startGateway, type RunningGateway } from './gateway-harness.js';

const KEY = '0123456789abcdef';

const frameOf = (step: number): Uint8Array =>
  encodeFrame({
    codec: 'f16',
    part: 0,
    parts: 1,
    streamKey: KEY,
    step,
    rows: 2,
    members: 1,
    classes: 3,
    inputDigest: '00000000000000ff',
    values: Float32Array.of(step, 1, 2, 3, 4, 5),
  });

/** The records of a body, as hexadecimal digits. */
function recordsOf(body: Uint8Array): string[] {
  const records: string[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length;) {
    const length = view.getUint32(at, true);
    records.push(Buffer.from(body.subarray(at + 4, at + 4 + length)).toString('hex'));
    at += 4 + length;
  }
  return records;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the frames of a stream over HTTP', () => {
  const platform = new FakePlatform();
  let nats: TestNats;
  let fakes: RunningFakes;
  let gateway: RunningGateway;
  let connection: NatsConnection;

  beforeAll(async () => {
    nats = await startTestNats();
    fakes = await startFakes(nats.url, platform);
    gateway = await startGateway(nats.url);
    connection = await connectBus({ servers: nats.url, name: 'test' });
    const log = new LogitLog(connection);
    await log.ensure(KEY);
    for (let step = 0; step < 6; step++) await log.append(KEY, 1, step, [frameOf(step)]);
  });

  afterAll(async () => {
    await connection?.close();
    await gateway?.stop();
    await fakes?.stop();
    await nats?.dispose();
  });

  beforeEach(() => platform.reset());

  const offer = (changes: Partial<StreamDetails['stream']> = {}, firstStep = 0): void => {
    const details = streamDetails({ key: KEY, steps: 6, publishedSteps: 6, state: 'complete', ...changes });
    platform.streams.set(KEY, { ...details, firstStep });
  };

  it('are the bytes that are on the bus, each with its length, and an empty record at the end', async () => {
    offer();
    const response = await fetch(`${gateway.url}/streams/${KEY}/frames`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/vnd.fidelis.frames');
    const records = recordsOf(new Uint8Array(await response.arrayBuffer()));
    expect(records).toEqual([...[0, 1, 2, 3, 4, 5].map((step) => hex(frameOf(step))), '']);
  });

  it('can be a part of them', async () => {
    offer();
    const response = await fetch(`${gateway.url}/streams/${KEY}/frames?from=2&to=4`);
    const records = recordsOf(new Uint8Array(await response.arrayBuffer()));
    expect(records).toEqual([hex(frameOf(2)), hex(frameOf(3)), '']);
  });

  it.each([
    ['an unknown stream', 404, 'STREAM.NOT_FOUND', (): void => undefined, ''],
    [
      'one that has expired',
      400,
      'STREAM.EXPIRED',
      (): void => offer({ state: 'expired', publishedSteps: 0 }),
      '',
    ],
    ['steps that were purged', 500, 'STREAM.GONE', (): void => offer({}, 3), '?from=1'],
    ['steps that are not there', 400, 'REQUEST.INVALID', (): void => offer(), '?to=9'],
    ['what is no number', 400, 'REQUEST.INVALID', (): void => offer(), '?from=x'],
  ] as const)('of %s are refused with a reason', async (_what, status, code, prepare, query) => {
    prepare();
    const response = await fetch(`${gateway.url}/streams/${KEY}/frames${query}`);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code } });
  });

  it('end with the reason where one is lost on the way', async () => {
    offer({ publishedSteps: 7, steps: 7 });
    const log = new LogitLog(connection);
    const response = await fetch(`${gateway.url}/streams/${KEY}/frames`);
    // It waits for step 6, which never comes: the stream is removed.
    await log.remove(KEY);
    const last = recordsOf(new Uint8Array(await response.arrayBuffer())).at(-1) ?? '';
    expect(JSON.parse(Buffer.from(last, 'hex').toString())).toMatchObject({ code: 'STREAM.NOT_FOUND' });
  });
});
