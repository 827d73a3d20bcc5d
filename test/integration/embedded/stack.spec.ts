import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  executeSql,
  type ProgramEvent,
  readStackState,
  type ServiceDefinition,
  type Stack,
  type StackOptions,
  startStack,
} from '@fidelis/embedded';
import { createTemporaryDirectory, type TemporaryDirectory, waitFor } from '@fidelis/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

const service = (name: string, more: Partial<ServiceDefinition> = {}): ServiceDefinition => ({
  name,
  entry: fixture('service.mjs'),
  env: {},
  readyPath: '/ready',
  ...more,
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function environmentOf(stack: Stack, name: string): Promise<Record<string, string>> {
  const url = stack.services.find((each) => each.name === name)?.url ?? '';
  return (await (await fetch(`${url}/env`)).json()) as Record<string, string>;
}

describe('embedded stack', () => {
  let directory: TemporaryDirectory;
  let events: ProgramEvent[];
  const running: Stack[] = [];
  const start = async (options: Omit<StackOptions, 'dataDir'> & { dataDir?: string }): Promise<Stack> => {
    const onEvent = (event: ProgramEvent): void => void events.push(event);
    const stack = await startStack({ dataDir: join(directory.path, 'data'), onEvent, ...options });
    running.push(stack);
    return stack;
  };
  const pidOf = (stack: Stack, name: string): number =>
    stack.services.find((each) => each.name === name)?.pid ?? 0;

  beforeEach(async () => {
    events = [];
    directory = await createTemporaryDirectory('stack-spec');
  });
  afterEach(async () => {
    for (const stack of running.splice(0)) await stack.stop();
    await directory.remove();
  });

  it('starts all, tells other commands where it is, and stops in order, twice without complaint', async () => {
    const stack = await start({ services: [service('gateway'), service('worker')] });
    expect(stack.services.map(({ name, state }) => [name, state])).toEqual([
      ['nats-server', 'ready'],
      ['postgresql', 'ready'],
      ['gateway', 'ready'],
      ['worker', 'ready'],
    ]);
    expect(await (await fetch(stack.gatewayUrl)).text()).toBe('ok');
    expect(await readStackState(stack.dataDir)).toMatchObject({
      pid: process.pid,
      gatewayUrl: stack.gatewayUrl,
    });

    const pids = stack.services.map(({ pid }) => pid ?? 0);
    await Promise.all([stack.stop(), stack.stop()]);
    const stopped = events.filter(({ type }) => type === 'stopped').map(({ name }) => name);
    expect(stopped).toEqual(['gateway', 'worker', 'postgresql', 'nats-server']);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await readStackState(stack.dataDir)).toBeUndefined();
    expect(await readFile(join(stack.dataDir, 'logs', 'worker.log'), 'utf8')).toContain('drained');
  });

  it('gives each owner of a schema a role that cannot read another one', async () => {
    const stack = await start({
      services: [
        service('gateway'),
        service('a', { schema: 'teacher' }),
        service('b', { schema: 'student' }),
      ],
    });
    const teacher = (await environmentOf(stack, 'a'))['FIDELIS_DATABASE_URL'] ?? '';
    const student = (await environmentOf(stack, 'b'))['FIDELIS_DATABASE_URL'] ?? '';
    expect(await environmentOf(stack, 'gateway')).not.toHaveProperty('FIDELIS_DATABASE_URL');
    await executeSql(teacher, ['CREATE TABLE secrets (x int)', 'SELECT * FROM teacher.secrets']);
    await expect(executeSql(student, ['SELECT * FROM teacher.secrets'])).rejects.toThrow(/permission denied/);
    await expect(executeSql(student, ['CREATE SCHEMA another'])).rejects.toThrow(/permission denied/);
  });

  it('restarts what was killed: a service, nats-server and PostgreSQL, at the same addresses', async () => {
    const stack = await start({ services: [service('gateway', { schema: 'gateway' })] });
    const url = stack.gatewayUrl;
    const natsUrl = stack.natsUrl;
    const database = (await environmentOf(stack, 'gateway'))['FIDELIS_DATABASE_URL'] ?? '';
    for (const name of ['gateway', 'nats-server', 'postgresql']) {
      const pid = pidOf(stack, name);
      process.kill(pid, 'SIGKILL');
      await waitFor(
        () => stack.services.some((each) => each.name === name && each.state === 'ready' && each.pid !== pid),
        { what: `${name} to be ready again`, deadlineMs: 30_000 },
      );
    }
    expect([stack.gatewayUrl, stack.natsUrl]).toEqual([url, natsUrl]);
    await executeSql(database, ['SELECT 1']);
  });

  it('gives up on a service that ends again and again, and shows its last log lines', async () => {
    const outcome = start({
      services: [service('gateway'), service('broken', { env: { FIXTURE_FAILURE: 'no luck today' } })],
      restartPolicy: { limit: 3, windowMs: 60_000, firstDelayMs: 10, maxDelayMs: 20 },
    });
    await expect(outcome).rejects.toMatchObject({
      code: 'STACK.SERVICE_FAILED',
      message: expect.stringMatching(/broken ended 3 times[^]*no luck today/) as string,
    });
    expect(events.filter(({ type }) => type === 'stopped').map(({ name }) => name)).toContain('nats-server');
  });

  it('does not repeat a start that a service itself calls hopeless', async () => {
    const failure = JSON.stringify({
      level: 60,
      code: 'CONFIG.INVALID',
      msg: 'FIDELIS_THREADS must be a number',
    });
    const outcome = start({ services: [service('gateway', { env: { FIXTURE_FAILURE: failure } })] });
    await expect(outcome).rejects.toMatchObject({
      code: 'CONFIG.INVALID',
      message: expect.stringContaining('FIDELIS_THREADS') as string,
    });
    expect(events.filter(({ type }) => type === 'restarting')).toEqual([]);
  });

  it('names a gateway port that is taken', async () => {
    const blocker = createServer();
    const port = await new Promise<number>((resolve) => {
      blocker.listen(0, '127.0.0.1', () => {
        const address = blocker.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const outcome = start({ services: [service('gateway')], gatewayPort: port });
    await expect(outcome).rejects.toMatchObject({ code: 'PORT.IN_USE', details: { port } });
    blocker.close();
  });

  it('refuses a second stack over the same data', async () => {
    const stack = await start({ services: [service('gateway')] });
    await expect(start({ services: [service('gateway')] })).rejects.toMatchObject({
      code: 'STACK.ALREADY_RUNNING',
      message: expect.stringContaining(stack.gatewayUrl) as string,
    });
    expect(await (await fetch(stack.gatewayUrl)).text()).toBe('ok');
  });

  it('refuses a data directory that cannot be written or has too little room, with advice', async () => {
    const file = join(directory.path, 'file');
    await writeFile(file, '');
    const advice = {
      code: 'STORAGE.UNWRITABLE',
      message: expect.stringContaining('FIDELIS_DATA_DIR') as string,
    };
    await expect(
      start({ services: [service('gateway')], dataDir: join(file, 'data') }),
    ).rejects.toMatchObject(advice);
    await expect(start({ services: [service('gateway')], minFreeBytes: 2 ** 60 })).rejects.toMatchObject(
      advice,
    );
  });

  it('says that a service has not been built', async () => {
    const outcome = start({ services: [service('gateway', { entry: join(directory.path, 'main.js') })] });
    await expect(outcome).rejects.toMatchObject({
      code: 'SETUP.MISSING',
      message: expect.stringContaining('npm run setup') as string,
    });
  });

  it('can be stopped in the middle of its start', async () => {
    const controller = new AbortController();
    const outcome = start({
      services: [service('gateway', { readyPath: '/ready' })],
      signal: controller.signal,
      onEvent: (event) => {
        events.push(event);
        if (event.name === 'postgresql' && event.type === 'ready') controller.abort();
      },
    });
    await expect(outcome).rejects.toThrow();
    expect(await readStackState(join(directory.path, 'data'))).toBeUndefined();
  });

  it('leaves no process behind when it is killed itself, and starts over what it left', async () => {
    const dataDir = join(directory.path, 'data');
    const supervisor = spawn(process.execPath, [fixture('supervisor.mjs'), dataDir, fixture('service.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    supervisor.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    await waitFor(() => output.includes('\n'), { what: 'the stack of another process', deadlineMs: 60_000 });
    const programs = JSON.parse(output) as { name: string; pid: number }[];
    expect(programs.map(({ name }) => name)).toEqual(['nats-server', 'postgresql', 'gateway']);
    supervisor.kill('SIGKILL');
    await waitFor(() => programs.every(({ pid }) => !isAlive(pid)), {
      what: `${JSON.stringify(programs)} to end`,
      deadlineMs: 20_000,
    });

    const stack = await start({ services: [service('gateway')] });
    expect(await (await fetch(stack.gatewayUrl)).text()).toBe('ok');
  });
});
