import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LogitLog, type NatsConnection } from '@fidelis/bus';
import { logitStreamName } from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectTo } from './bus-fixture.js';
import { PARTS, stepFrames } from './log-frames.js';

const READER = fileURLToPath(new URL('reader.child.mjs', import.meta.url));
const KEY = 'feedfeedfeedfeed';
/** What the project promises; the server's own limit is lower. */
const ORPHAN_LIMIT_MS = 30_000;

let nats: TestNats;
let connection: NatsConnection;
let child: ChildProcess | undefined;

beforeAll(async () => {
  nats = await startTestNats();
  connection = await connectTo(nats.url);
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await connection?.close();
  await nats?.dispose();
});

it('leaves no consumer behind for longer than 30 seconds when its process is killed', async () => {
  const log = new LogitLog(connection);
  await log.ensure(KEY);
  for (let step = 0; step < 4; step++) await log.append(KEY, PARTS, step, stepFrames(KEY, step));
  const manager = await jetstreamManager(connection);
  const consumers = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of manager.consumers.list(logitStreamName(KEY))) names.push(name);
    return names;
  };
  let frames = 0;
  const reader = fork(READER, [nats.url, KEY, String(PARTS)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child = reader;
  reader.on('message', (message: { readonly frames: number }) => {
    frames = message.frames;
  });
  await waitFor(() => frames === 4 * PARTS, { what: 'the reader to have all frames', deadlineMs: 20_000 });
  expect(await consumers()).toHaveLength(1);
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    reader.once('exit', (_, signal) => resolve(signal)),
  );
  reader.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');
  const killedAt = performance.now();
  expect(await consumers()).toHaveLength(1);
  await waitFor(async () => (await consumers()).length === 0, {
    what: 'the server to forget the consumer',
    deadlineMs: ORPHAN_LIMIT_MS,
  });
  expect(performance.now() - killedAt).toBeLessThan(ORPHAN_LIMIT_MS);
}, 90_000);
