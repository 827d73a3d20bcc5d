import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliConfig } from './cli-config.js';
import { InterruptedError } from './exit-status.js';
import type { LaunchStack, StackHandle } from './stack/stack-port.js';
import { commandLine, type CommandLineResult } from './testing/command-line.js';
import { FakeGateway, sampleRun, withoutEvaluations } from './testing/fake-gateway.js';

const EXAMPLE = new URL('../../../examples/lenet5-mnist.yaml', import.meta.url).pathname;
const COMMANDS = [
  'demo',
  'up',
  'doctor',
  'run',
  'runs',
  'show',
  'cancel',
  'data list',
  'data get',
  'data verify',
];

const QUEUED = withoutEvaluations(sampleRun({ state: 'queued', evaluations: [] }));
const COMPLETED = withoutEvaluations(sampleRun());
const TRAINING = { ...QUEUED, state: 'training' };

const NEVER = new Promise<FidelisError>(() => undefined);

let directory: string;
let gateway: FakeGateway | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fidelis-cli-'));
});

afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  await rm(directory, { recursive: true });
});

async function startGateway(changes: Parameters<typeof FakeGateway.start>[0] = {}): Promise<FakeGateway> {
  gateway = await FakeGateway.start(
    {
      StartRun: () => ({ startRun: QUEUED }),
      GetRun: () => ({ run: TRAINING }),
      GetRunDetails: () => ({ run: sampleRun() }),
      CancelRun: () => ({ cancelRun: { ...QUEUED, state: 'cancelled' } }),
      ListRuns: () => ({
        runs: {
          edges: [{ node: sampleRun() }],
          pageInfo: { hasNextPage: true, endCursor: 'x' },
          totalCount: 7,
        },
      }),
      ...changes,
    },
    () => [TRAINING, COMPLETED],
  );
  return gateway;
}

function fidelis(
  args: readonly string[],
  changes?: Parameters<typeof commandLine>[2],
): Promise<CommandLineResult> {
  const address: Record<string, string> = gateway === undefined ? {} : { FIDELIS_GATEWAY: gateway.url };
  return commandLine(args, { FIDELIS_DATA_DIR: directory, ...address }, changes);
}

function errorOf({ stdout }: CommandLineResult): {
  code: string;
  message: string;
  details: Record<string, unknown>;
} {
  return (
    JSON.parse(stdout) as { error: { code: string; message: string; details: Record<string, unknown> } }
  ).error;
}

describe('help', () => {
  it.each(COMMANDS)('of `%s` describes it, its options and an example', async (command) => {
    const { status, stdout } = await fidelis([...command.split(' '), '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Usage: fidelis/);
    expect(stdout).toContain('--json');
    expect(stdout).toContain(`$ fidelis ${command}`);
  });

  it('and the version are results: status 0, on stdout', async () => {
    expect((await fidelis(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { status, stdout } = await fidelis(['--help']);
    expect(status).toBe(0);
    for (const command of COMMANDS) expect(stdout).toContain(`  ${command.split(' ')[0] ?? ''} `);
  });
});

describe('bad arguments end with 2', () => {
  it.each([
    [['trian'], 'demo'],
    [['runs', '--limit', '0'], 'from 1 to 200'],
    [['runs', '--state', 'lost'], 'preparing'],
    [['demo', '--epochs', '-3'], 'from 1 to 100000'],
    [['demo', '--seed', '1.5'], 'whole number'],
    [['runs', '--gateway', 'nowhere'], 'http://127.0.0.1:4000'],
    [['show'], 'run'],
  ])('%j', async (args, hint) => {
    const plain = await fidelis(args);
    expect(plain).toMatchObject({ status: 2, stdout: '' });
    const json = await fidelis([...args, '--json']);
    expect(json.status).toBe(2);
    expect(errorOf(json).code).toBe('REQUEST.INVALID');
    if (args[0] !== 'trian') expect(json.stderr).toContain(hint);
  });

  it('an unusable FIDELIS_GATEWAY as well', async () => {
    await expect(commandLine(['runs'], { FIDELIS_GATEWAY: 'nowhere' })).rejects.toMatchObject({
      code: 'CONFIG.INVALID',
    });
  });
});

describe('run', () => {
  it('starts the spec, follows it to its end, and prints table and words', async () => {
    await startGateway();
    const { status, stdout, stderr } = await fidelis(['run', EXAMPLE, '--epochs', '5']);
    expect(status).toBe(0);
    expect(stdout).toContain('ECE (15 bins)');
    expect(stdout).toMatch(/top-1 agreement +96\.43 %/);
    expect(stdout).toContain("On 10,000 test images the student gives its teacher's answer on 96.43 %");
    expect(stderr).toContain('run r-1');
    expect(stderr).toContain('student: 1,407 steps');
    expect(gateway?.requests[0]?.variables).toMatchObject({ spec: { student: { epochs: 5 } } });
  });

  it('--json prints one document with every figure', async () => {
    await startGateway();
    const { stdout } = await fidelis(['run', EXAMPLE, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      run: 'r-1',
      set: 'test',
      backend: 'tensorflow',
      student: { accuracy: 0.8428 },
      teacher: { accuracy: 0.841 },
      fidelity: { top1Agreement: 0.9643, predictiveKl: 0.0213 },
      sets: { 'train-clean': { n: 60_000 } },
      bins: 15,
      frames: { published: 59, consumed: 59 },
      seconds: { teacher: 9, stream: 0, student: 20.5, evaluation: 4 },
    });
  });

  it('--detach returns at once', async () => {
    await startGateway();
    const { stdout } = await fidelis(['run', EXAMPLE, '--detach', '--json']);
    expect(JSON.parse(stdout)).toEqual({ run: 'r-1', name: 'lenet5-mnist', state: 'queued' });
    expect(gateway?.requests.map(({ operation }) => operation)).toEqual(['StartRun']);
  });

  it('of a bad spec asks nobody, names the line, and ends with 2', async () => {
    await startGateway();
    const file = join(directory, 'bad.yaml');
    await writeFile(file, (await readFile(EXAMPLE, 'utf8')).replace('epochs: 3', 'epochs: -3'));
    const result = await fidelis(['run', file, '--json']);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/bad\.yaml:\d+:11 {2}student\.epochs/);
    expect(errorOf(result).details['issues']).toEqual([expect.objectContaining({ field: 'student.epochs' })]);
    expect(gateway?.requests).toEqual([]);
  });

  it('of a teacher that does not exist ends with 2 and the code of the service', async () => {
    const error = {
      code: 'TEACHER.NOT_FOUND',
      message: 'there is no teacher t-0123456789ab',
      retryable: false,
      details: null,
    };
    await startGateway({
      GetRun: () => ({ run: { ...QUEUED, state: 'failed', error } }),
      StartRun: () => ({ startRun: { ...QUEUED, state: 'failed', error } }),
    });
    const result = await fidelis(['run', EXAMPLE, '--json']);
    expect(result.status).toBe(2);
    expect(errorOf(result)).toMatchObject({ code: 'TEACHER.NOT_FOUND', details: { run: 'r-1' } });
  });

  it('that fails ends with 1', async () => {
    const error = {
      code: 'TRAINING.DIVERGED',
      message: 'the loss is not finite',
      retryable: false,
      details: { step: 3 },
    };
    await startGateway({ StartRun: () => ({ startRun: { ...QUEUED, state: 'failed', error } }) });
    const result = await fidelis(['run', EXAMPLE]);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toContain('error TRAINING.DIVERGED: run r-1 failed: the loss is not finite');
  });

  it('without a stack says how to start one', async () => {
    const result = await fidelis(['run', EXAMPLE]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('npm run fidelis -- up');
  });

  it('at a gateway that does not answer says where it looked', async () => {
    await startGateway();
    const url = gateway?.url ?? '';
    await gateway?.stop();
    gateway = undefined;
    const result = await fidelis(['runs', '--gateway', url]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(`No gateway answers at ${url}/graphql`);
  });
});

describe('a stack that runs on this machine', () => {
  async function announce(dataDir: string, pid: number, gatewayUrl: string): Promise<void> {
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'stack.lock'), JSON.stringify({ pid, gatewayUrl }));
  }

  it.each(['', 'demo/work-1'])('is found where it keeps its data: %j', async (place) => {
    const { url } = await startGateway();
    await announce(join(directory, place), process.pid, url);
    const config = cliConfig({ FIDELIS_DATA_DIR: directory });
    expect((await fidelis(['show', 'r-1'], { config })).status).toBe(0);
  });

  it('is not, once its process is gone', async () => {
    const { url } = await startGateway();
    await announce(directory, 2 ** 22 + 1, url);
    const config = cliConfig({ FIDELIS_DATA_DIR: directory });
    expect(errorOf(await fidelis(['show', 'r-1', '--json'], { config })).code).toBe('SETUP.MISSING');
  });
});

describe('looking at runs', () => {
  it('runs is a table with a hint at what is left out', async () => {
    await startGateway();
    const { stdout } = await fidelis(['runs', '--state', 'completed', '--limit', '1']);
    expect(stdout).toMatch(/^run +name +state/);
    expect(stdout).toMatch(/r-1 +lenet5-mnist +completed +3\/3 +96\.43 % +84\.28 %/);
    expect(stdout).toContain('1 of 7 runs');
    expect(gateway?.requests[0]?.variables).toEqual({
      filter: { state: 'completed' },
      first: 1,
      after: null,
    });
  });

  it('show has stages, lineage and evaluations', async () => {
    await startGateway();
    const { stdout } = await fidelis(['show', 'r-1']);
    for (const part of [
      't-0123456789ab',
      '59 published, 59 consumed',
      'used again',
      'train-clean',
      'tensorflow 2.21.0',
    ]) {
      expect(stdout).toContain(part);
    }
  });

  it('show of an unknown run ends with 2', async () => {
    await startGateway({
      GetRunDetails: () => {
        throw new FidelisError('RUN.NOT_FOUND', 'there is no run r-9');
      },
    });
    expect(await fidelis(['show', 'r-9'])).toMatchObject({
      status: 2,
      stderr: 'error RUN.NOT_FOUND: there is no run r-9\n',
    });
  });

  it('cancel asks for the end of the run', async () => {
    await startGateway();
    expect((await fidelis(['cancel', 'r-1'])).stdout).toBe('run r-1 is cancelled\n');
  });
});

describe('doctor', () => {
  it('ends with 1 and advice if something is missing', async () => {
    const findings = [
      { part: 'node', ok: true, version: '20.20.2' },
      { part: 'nats-server', ok: false, advice: 'run `npm run setup`' },
    ];
    const result = await fidelis(['doctor'], { diagnose: () => Promise.resolve(findings) });
    expect(result.status).toBe(1);
    expect(result.stdout).toContain('✗ nats-server  missing\n               → run `npm run setup`');
    const json = await fidelis(['doctor', '--json'], {
      diagnose: () => Promise.resolve(findings.slice(0, 1)),
    });
    expect(json.status).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, findings: [{ part: 'node' }] });
  });
});

describe('demo', () => {
  function launcher(stopped: string[], failed: StackHandle['failed'] = NEVER): LaunchStack {
    return ({ dataDir, onEvent }) => {
      onEvent?.({ type: 'ready', name: 'gateway', pid: 1 });
      return Promise.resolve({
        gatewayUrl: gateway?.url ?? '',
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
    await startGateway();
    const stopped: string[] = [];
    const result = await fidelis(['demo', '--json', '--seed', '7', '--epochs', '2'], {
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
    expect(JSON.parse(await readFile(join(directory, 'demo', 'r-1.json'), 'utf8'))).toEqual(document);
    expect(stopped).toHaveLength(1);
    expect(await readdir(join(directory, 'demo'))).toEqual(['r-1.json']);
    expect(await readdir(directory)).toEqual(['demo']);
    expect(gateway?.requests[0]?.variables).toMatchObject({ spec: { seed: 7, student: { epochs: 2 } } });
  });

  it('prints the table, the sentence and where to look, and keeps the data with --keep', async () => {
    await startGateway();
    const { stdout } = await fidelis(['demo', '--keep'], { launchStack: launcher([]) });
    const kept = (await readdir(join(directory, 'demo'))).find((name) => name.startsWith('kept-'));
    expect(stdout).toContain(`up --data-dir ${join(directory, 'demo', kept ?? '?')}`);
    expect(stdout).toContain(join(directory, 'demo', 'r-1.json'));
  });

  it('ends with 1 if a part of the stack is given up', async () => {
    await startGateway({ StartRun: () => new Promise(() => undefined) });
    const stopped: string[] = [];
    const failed = Promise.resolve(new FidelisError('STACK.SERVICE_FAILED', 'metrics ended 5 times'));
    const result = await fidelis(['demo', '--json'], { launchStack: launcher(stopped, failed) });
    expect(result.status).toBe(1);
    expect(errorOf(result).code).toBe('STACK.SERVICE_FAILED');
    expect(stopped).toHaveLength(1);
  });

  it('stops everything on Ctrl-C and ends with 130', async () => {
    const interrupt = new AbortController();
    await startGateway({
      StartRun: () => {
        interrupt.abort(new InterruptedError('SIGINT'));
        return { startRun: QUEUED };
      },
    });
    const stopped: string[] = [];
    const result = await fidelis(['demo', '--json'], {
      launchStack: launcher(stopped),
      interrupt: { signal: interrupt.signal, hurry: new AbortController().signal },
    });
    expect(result.status).toBe(130);
    expect(errorOf(result).code).toBe('INTERRUPTED');
    expect(stopped).toHaveLength(1);
    expect(await readdir(join(directory, 'demo'))).toEqual([]);
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
    const running = fidelis(['up', '--json', '--port', '4000'], {
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
    const result = await fidelis(['up'], {
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

describe('data', () => {
  it('list names the datasets', async () => {
    const { stdout } = await fidelis(['data', 'list', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ datasets: [{ name: 'mnist', splits: { train: 60_000 } }] });
  });

  it.each(['get', 'verify'])('%s of an unknown one ends with 2', async (command) => {
    const result = await fidelis(['data', command, 'minst', '--json']);
    expect(result.status).toBe(2);
    expect(errorOf(result)).toMatchObject({ code: 'DATASET.UNKNOWN' });
    expect(result.stderr).toContain('"mnist"');
  });

  it('verify compares every file', async () => {
    const { status, stdout } = await fidelis(['data', 'verify', 'mnist']);
    expect(status).toBe(0);
    expect(stdout).toContain('mnist is complete');
  });
});
