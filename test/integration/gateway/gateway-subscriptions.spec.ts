import { createClient, type Client } from 'graphql-ws';
import { runRecord } from '@fidelis/gateway/fixtures';
import type { RunRecord } from '@fidelis/contracts';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { FakePlatform, startFakes, type RunningFakes } from './fake-services.js';
import { startGateway, type RunningGateway } from './gateway-harness.js';

const platform = new FakePlatform();
let nats: TestNats;
let fakes: RunningFakes;
let gateway: RunningGateway;
let clients: Client[] = [];

beforeAll(async () => {
  nats = await startTestNats();
  fakes = await startFakes(nats.url, platform);
  gateway = await startGateway(nats.url);
});

afterAll(async () => {
  await gateway?.stop();
  await fakes?.stop();
  await nats?.dispose();
});

beforeEach(() => platform.reset());

afterEach(async () => {
  for (const client of clients) await client.dispose();
  clients = [];
});

const FOLLOW = 'subscription ($id: ID!) { runProgress(id: $id) { state progress { step } } }';

interface Following {
  readonly seen: string[];
  readonly done: Promise<void>;
  stop(): void;
}

function connect(url = gateway.webSocketUrl): Client {
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  clients.push(client);
  return client;
}

/** Collects what a subscription tells, errors as their codes. */
function follow(id: string, query = FOLLOW, client = connect()): Following {
  const seen: string[] = [];
  let stop: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    stop = client.subscribe<{ runProgress: RunRecord }>(
      { query, variables: { id } },
      {
        next: ({ data, errors }) => {
          const run = data?.runProgress;
          if (run) seen.push(`${run.state} ${run.progress.step}`);
          for (const { extensions } of errors ?? []) seen.push(String(extensions?.['code']));
        },
        error: (error) => {
          const errors = Array.isArray(error) ? (error as { extensions?: { code?: string } }[]) : [];
          seen.push(...errors.map(({ extensions }) => `error ${extensions?.code}`));
          if (errors.length === 0) seen.push(`closed ${(error as CloseEvent).code}`);
          resolve();
        },
        complete: () => {
          seen.push('complete');
          resolve();
        },
      },
    );
  });
  return { seen, done, stop: () => stop() };
}

function atStep(step: number, state: RunRecord['state'] = 'training'): RunRecord {
  return runRecord({ state, progress: { ...runRecord().progress, step } });
}

async function change(run: RunRecord): Promise<void> {
  platform.addRuns(run);
  await fakes.publishChange(run);
}

async function openSubscriptions(): Promise<number> {
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(/^fidelis_subscriptions (\d+)$/m.exec(metrics)?.[1]);
}

describe('runProgress', () => {
  it('tells the current state at once, then each change, and completes when the run has ended', async () => {
    platform.addRuns(atStep(1));
    const { seen, done } = follow('r-1');
    await waitFor(() => seen.length === 1, { what: 'the current state' });
    expect(seen).toEqual(['training 1']);
    await change(atStep(2));
    await change(atStep(3, 'evaluating'));
    await change(atStep(3, 'completed'));
    await done;
    expect(seen).toEqual(['training 1', 'training 2', 'evaluating 3', 'completed 3', 'complete']);
    expect(await openSubscriptions()).toBe(0);
  });

  it('tells a late follower how the run ended', async () => {
    platform.addRuns(atStep(9, 'failed'));
    const { seen, done } = follow('r-1');
    await done;
    expect(seen).toEqual(['failed 9', 'complete']);
  });

  it('serves several followers of several runs over one socket', async () => {
    platform.addRuns(atStep(1), { ...atStep(1), id: 'r-2' });
    const client = connect();
    const [one, same, other] = [
      follow('r-1', FOLLOW, client),
      follow('r-1', FOLLOW, client),
      follow('r-2', FOLLOW, client),
    ];
    await waitFor(() => [one, same, other].every(({ seen }) => seen.length === 1), {
      what: 'the first states',
    });
    await change(atStep(2, 'completed'));
    await one.done;
    await same.done;
    expect(one.seen).toEqual(['training 1', 'completed 2', 'complete']);
    expect(same.seen).toEqual(one.seen);
    expect(other.seen).toEqual(['training 1']);
  });

  it('asks for the evaluations anew for each state', async () => {
    platform.addRuns(atStep(1));
    const { seen, done } = follow(
      'r-1',
      'subscription ($id: ID!) { runProgress(id: $id) { state progress { step } evaluations { id } } }',
    );
    await waitFor(() => seen.length === 1, { what: 'the current state' });
    await change(atStep(2, 'completed'));
    await done;
    expect(seen).toEqual(['training 1', 'completed 2', 'complete']);
    expect(platform.requests('evaluations')).toEqual([{ runIds: ['r-1'] }, { runIds: ['r-1'] }]);
  });

  it.each([
    ['r-none', 'RUN.NOT_FOUND'],
    ['*', 'REQUEST.INVALID'],
    ['r.1', 'REQUEST.INVALID'],
  ])('of %s fails with %s', async (id, code) => {
    const { seen, done } = follow(id);
    await done;
    expect(seen).toEqual([code, 'complete']);
    expect(await openSubscriptions()).toBe(0);
  });

  it.each([
    ['a syntax error', 'subscription {', 'REQUEST.INVALID'],
    ['an unknown field', 'subscription ($id: ID!) { runProgress(id: $id) { nmae } }', 'REQUEST.INVALID'],
    [
      'too much nesting',
      `subscription ($id: ID!) { runProgress(id: $id) { ${'teacher { '.repeat(8)} id ${'} '.repeat(8)} } }`,
      'REQUEST.TOO_COMPLEX',
    ],
    ['long text', `${FOLLOW} # ${'x'.repeat(40_000)}`, 'REQUEST.TOO_COMPLEX'],
  ])('with %s fails', async (_, query, code) => {
    const { seen, done } = follow('r-1', query);
    await done;
    expect(seen).toEqual([`error ${code}`]);
    expect(platform.calls).toEqual([]);
  });

  it('without its variable fails', async () => {
    const { seen, done } = follow('r-1', 'subscription ($key: ID!) { runProgress(id: $key) { id } }');
    await done;
    expect(seen).toEqual(['REQUEST.INVALID', 'complete']);
  });

  it('lets go of everything when the follower leaves', async () => {
    platform.addRuns(atStep(1));
    const client = connect();
    const { seen, stop } = follow('r-1', FOLLOW, client);
    await waitFor(() => seen.length === 1, { what: 'the current state' });
    expect(await openSubscriptions()).toBe(1);
    stop();
    await waitFor(async () => (await openSubscriptions()) === 0, { what: 'the end of the subscription' });
  });

  it('lets go of everything when the socket breaks', async () => {
    platform.addRuns(atStep(1));
    const client = connect();
    const { seen } = follow('r-1', FOLLOW, client);
    await waitFor(() => seen.length === 1, { what: 'the current state' });
    client.terminate();
    await waitFor(async () => (await openSubscriptions()) === 0, { what: 'the end of the subscription' });
  });

  it('gives a slow socket the newest states, and the end, instead of everything', async () => {
    // 100 KB in each state: far more than the buffers of the sockets hold in all.
    const states = 300;
    const padding = 'x'.repeat(100_000);
    const padded = (step: number, state?: RunRecord['state']): RunRecord => ({
      ...atStep(step, state),
      name: padding,
    });
    platform.addRuns(padded(0));
    const socket = new WebSocket(gateway.webSocketUrl, 'graphql-transport-ws');
    const seen: { type: string; payload?: { data: { runProgress: RunRecord } } }[] = [];
    socket.on('message', (data: Buffer) => seen.push(JSON.parse(data.toString()) as (typeof seen)[number]));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await waitFor(() => seen.length === 1, { what: 'the acknowledgement' });
    const query = FOLLOW.replace('state', 'name state');
    socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query, variables: { id: 'r-1' } } }));
    await waitFor(() => seen.some(({ type }) => type === 'next'), { what: 'the current state' });

    socket.pause();
    for (let step = 1; step < states; step += 1) await fakes.publishChange(padded(step));
    await change(padded(states, 'completed'));
    await waitFor(async () => (await openSubscriptions()) === 0, { what: 'the end at the gateway' });
    socket.resume();
    await waitFor(() => seen.at(-1)?.type === 'complete', { what: 'the end at the client' });
    socket.close();

    const steps = seen.flatMap(({ payload }) => payload?.data.runProgress.progress.step ?? []);
    expect(steps.at(-1)).toBe(states);
    expect(steps.length).toBeLessThan(states);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
  });
});

describe('the socket', () => {
  function handshake(headers: Record<string, string>, path = '/graphql'): Promise<string> {
    const socket = new WebSocket(gateway.webSocketUrl.replace('/graphql', path), 'graphql-transport-ws', {
      headers,
    });
    return new Promise((resolve) => {
      socket.once('open', () => {
        socket.terminate();
        resolve('open');
      });
      socket.once('error', (error) => resolve(error.message));
    });
  }

  it('is refused to a page from elsewhere, and open to programs and the own page', async () => {
    expect(await handshake({ origin: 'http://evil.example' })).toContain('403');
    expect(await handshake({ origin: gateway.url })).toBe('open');
    expect(await handshake({})).toBe('open');
  });

  it('is on one path only', async () => {
    expect(await handshake({}, '/elsewhere')).toContain('404');
  });

  it('closes on what is not its protocol, and the gateway goes on', async () => {
    const socket = new WebSocket(gateway.webSocketUrl, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.send('not JSON');
    expect(await closed).toBe(4400);
    expect((await gateway.graphql('{ platform { version } }')).errors).toEqual([]);
  });

  it('closes on a message that is too long', async () => {
    const socket = new WebSocket(gateway.webSocketUrl, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.send('x'.repeat(300_000));
    expect(await closed).toBe(1009);
  });

  it('carries queries as well', async () => {
    const results: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      connect().subscribe(
        { query: '{ platform { version } }' },
        { next: (result) => results.push(result.data), error: reject, complete: resolve },
      );
    });
    expect(results).toEqual([{ platform: { version: expect.any(String) as unknown } }]);
  });

  it('says "going away" when the gateway stops', async () => {
    platform.addRuns(atStep(1));
    const other = await startGateway(nats.url);
    const { seen, done } = follow('r-1', FOLLOW, connect(other.webSocketUrl));
    await waitFor(() => seen.length === 1, { what: 'the current state' });
    await other.stop();
    await done;
    expect(seen).toEqual(['training 1', 'closed 1001']);
  });
});

describe('NATS stopped and started again', () => {
  it('does not hold a follower back: what changed in between is read', async () => {
    platform.addRuns(atStep(1));
    const { seen, done } = follow('r-1');
    await waitFor(() => seen.length === 1, { what: 'the current state' });
    await nats.stop();
    // Nobody publishes this change: only reading the run again shows it.
    platform.addRuns(atStep(5));
    await nats.restart();
    await waitFor(() => seen.includes('training 5'), { what: 'the state after the gap', deadlineMs: 20_000 });
    await change(atStep(6, 'completed'));
    await done;
    expect(seen.slice(-2)).toEqual(['completed 6', 'complete']);
  });
});
