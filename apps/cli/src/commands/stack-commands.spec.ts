import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../exit-status.js';
import type { LaunchStack, StackHandle } from '../stack/stack-port.js';
import { CommandFixture, errorOf, QUEUED_RUN } from '../testing/command-fixture.js';

const NEVER = new Promise<FidelisError>(() => undefined);

let fixture: CommandFixture;

beforeEach(async () => {
  fixture = await CommandFixture.create();
});

afterEach(() => fixture.dispose());

describe('demo', () => {
  function launcher(stopped: string[], failed: StackHandle['failed'] = NEVER): LaunchStack {
    return ({ dataDir, onEvent }) => {
      onEvent?.({ type: 'ready', name: 'gateway', pid: 1 });
      return Promise.resolve({
        gatewayUrl: fixture.gateway?.url ?? '',
        services: [],
        failed,
        stop: () => {
          stopped.push(dataDir);
          return Promise.resolve();
        },
      });
    };
  }

  it('runs, prints one document, keeps it in a file, stops the stack and removes its data', async () => {
    await fixture.startGateway();
    const stopped: string[] = [];
    const result = await fixture.run(['demo', '--json', '--seed', '7', '--epochs', '2'], {
      launchStack: launcher(stopped),
    });
    expect(result).toMatchObject({ status: 0 });
    const document = JSON.parse(result.stdout) as { seconds: Record<string, number> };
    expect(Object.keys(document.seconds).sort()).toEqual([
      'evaluation',
      'stack',
      'stream',
      'student',
      'teacher',
      'total',
    ]);
    expect(JSON.parse(await readFile(join(fixture.directory, 'demo', 'r-1.json'), 'utf8'))).toEqual(document);
    expect(stopped).toHaveLength(1);
    expect(await readdir(join(fixture.directory, 'demo'))).toEqual(['r-1.json']);
    expect(await readdir(fixture.directory)).toEqual(['demo']);
    expect(fixture.gateway?.requests[0]?.variables).toMatchObject({
      spec: { seed: 7, student: { epochs: 2 } },
    });
  });

  it.each([
    [['demo'], undefined],
    [['demo', '--eager'], 'true'],
  ])('%j tells the services to be eager: %j', async (command, eager) => {
    await fixture.startGateway();
    let given: Readonly<Record<string, string>> | undefined;
    const launch = launcher([]);
    await fixture.run([...command, '--json'], {
      launchStack: (options) => {
        given = options.env;
        return launch(options);
      },
    });
    expect(given?.['FIDELIS_EAGER']).toBe(eager);
  });

  it.each([
    [['demo'], false, 'cpu'],
    [['demo', '--gpu'], true, 'gpu'],
  ])('%j starts a worker on the GPU: %j, and runs on the %s', async (command, gpu, placement) => {
    await fixture.startGateway();
    let given: boolean | undefined;
    const launch = launcher([]);
    await fixture.run([...command, '--json'], {
      launchStack: (options) => {
        given = options.gpu;
        return launch(options);
      },
    });
    expect(given).toBe(gpu);
    expect(fixture.gateway?.requests[0]?.variables).toMatchObject({ spec: { placement } });
  });

  it('prints the table, the sentence and where to look, and keeps the data with --keep', async () => {
    await fixture.startGateway();
    const { stdout } = await fixture.run(['demo', '--keep'], { launchStack: launcher([]) });
    const kept = (await readdir(join(fixture.directory, 'demo'))).find((name) => name.startsWith('kept-'));
    expect(stdout).toContain(`up --data-dir ${join(fixture.directory, 'demo', kept ?? '?')}`);
    expect(stdout).toContain(join(fixture.directory, 'demo', 'r-1.json'));
  });

  it('ends with 1 if a part of the stack is given up', async () => {
    await fixture.startGateway({ StartRun: () => new Promise(() => undefined) });
    const stopped: string[] = [];
    const failed = Promise.resolve(new FidelisError('STACK.SERVICE_FAILED', 'metrics ended 5 times'));
    const result = await fixture.run(['demo', '--json'], { launchStack: launcher(stopped, failed) });
    expect(result.status).toBe(1);
    expect(errorOf(result).code).toBe('STACK.SERVICE_FAILED');
    expect(stopped).toHaveLength(1);
  });

  it('stops everything on Ctrl-C and ends with 130', async () => {
    const interrupt = new AbortController();
    await fixture.startGateway({
      StartRun: () => {
        interrupt.abort(new InterruptedError('SIGINT'));
        return { startRun: QUEUED_RUN };
      },
    });
    const stopped: string[] = [];
    const result = await fixture.run(['demo', '--json'], {
      launchStack: launcher(stopped),
      interrupt: { signal: interrupt.signal, hurry: new AbortController().signal },
    });
    expect(result.status).toBe(130);
    expect(errorOf(result).code).toBe('INTERRUPTED');
    expect(stopped).toHaveLength(1);
    expect(await readdir(join(fixture.directory, 'demo'))).toEqual([]);
  });
});

describe('up', () => {
  function service(name: string, url: string | undefined): StackHandle['services'][number] {
    return { name, url, state: 'ready', pid: 1, restarts: 0, logFile: `${name}.log` };
  }

  it('prints the addresses, stays until Ctrl-C, stops in order and ends with 0', async () => {
    const interrupt = new AbortController();
    let stopped = false;
    let shown = '';
    const running = fixture.run(['up', '--json', '--port', '4000'], {
      stdout: { write: (text) => (shown += text) },
      interrupt: { signal: interrupt.signal, hurry: new AbortController().signal },
      launchStack: ({ gatewayPort }) =>
        Promise.resolve({
          gatewayUrl: `http://127.0.0.1:${gatewayPort ?? 0}`,
          services: [service('nats-server', undefined), service('teacher', 'http://127.0.0.1:4001')],
          failed: NEVER,
          stop: () => {
            stopped = true;
            return Promise.resolve();
          },
        }),
    });
    await expect.poll(() => shown).toContain(':4000');
    interrupt.abort(new InterruptedError('SIGINT'));
    const { status } = await running;
    expect(status).toBe(0);
    expect(JSON.parse(shown)).toMatchObject({
      graphql: 'http://127.0.0.1:4000/graphql',
      services: [{ name: 'teacher', metrics: 'http://127.0.0.1:4001/metrics' }],
    });
    expect(stopped).toBe(true);
  });

  it('ends with 1 and stops the rest if a part is given up', async () => {
    let stopped = false;
    const result = await fixture.run(['up'], {
      launchStack: () =>
        Promise.resolve({
          gatewayUrl: 'http://127.0.0.1:4000',
          services: [],
          failed: Promise.resolve(new FidelisError('STACK.SERVICE_FAILED', 'metrics ended 5 times')),
          stop: () => {
            stopped = true;
            return Promise.resolve();
          },
        }),
    });
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('STACK.SERVICE_FAILED: metrics ended 5 times');
    expect(stopped).toBe(true);
  });
});
