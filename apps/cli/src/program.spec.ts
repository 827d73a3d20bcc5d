import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FidelisError } from '@fidelis/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cliConfig } from './cli-config.js';
import { CommandFixture, errorOf, QUEUED_RUN } from './testing/command-fixture.js';
import { commandLine } from './testing/command-line.js';

const EXAMPLE = new URL('../../../examples/lenet5-mnist.yaml', import.meta.url).pathname;
const COMMANDS = [
  'demo',
  'up',
  'doctor',
  'run',
  'runs',
  'show',
  'cancel',
  'rm',
  'streams',
  'stream rm',
  'jobs',
  'jobs redrive',
  'jobs discard',
  'gc',
  'data list',
  'data show',
  'data get',
  'data verify',
  'data add',
  'data remove',
  'data preview',
  'evaluate',
];

let fixture: CommandFixture;

beforeEach(async () => {
  fixture = await CommandFixture.create();
});

afterEach(() => fixture.dispose());

describe('help', () => {
  it.each(COMMANDS)('of `%s` describes it, its options and an example', async (command) => {
    const { status, stdout } = await fixture.run([...command.split(' '), '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Usage: fidelis/);
    expect(stdout).toContain('--json');
    expect(stdout).toContain(`$ fidelis ${command}`);
  });

  it('and the version are results: status 0, on stdout', async () => {
    expect((await fixture.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { status, stdout } = await fixture.run(['--help']);
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
    const plain = await fixture.run(args);
    expect(plain).toMatchObject({ status: 2, stdout: '' });
    const json = await fixture.run([...args, '--json']);
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
    await fixture.startGateway();
    const { status, stdout, stderr } = await fixture.run(['run', EXAMPLE, '--epochs', '5']);
    expect(status).toBe(0);
    expect(stdout).toContain('ECE (15 bins)');
    expect(stdout).toMatch(/top-1 agreement +96\.43 %/);
    expect(stdout).toContain("The student gives its teacher's answer, right or wrong, on 96.43 %");
    expect(stderr).toContain('run r-1');
    expect(stderr).toContain('student: 1,407 steps');
    expect(fixture.gateway?.requests[0]?.variables).toMatchObject({ spec: { student: { epochs: 5 } } });
  });

  it('--json prints one document with every figure', async () => {
    await fixture.startGateway();
    const { stdout } = await fixture.run(['run', EXAMPLE, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      run: 'r-1',
      set: 'test',
      backend: 'tensorflow',
      student: { accuracy: 0.8428 },
      teacher: { accuracy: 0.841 },
      fidelity: { top1Agreement: 0.9643, predictiveKl: 0.0213 },
      sets: { 'train-clean': { n: 60_000 } },
      bins: 15,
      frames: { published: 59, consumed: 59, trained: 59, closed: true },
      seconds: { teacher: 9, stream: 0, student: 20.5, evaluation: 4 },
    });
  });

  it('--detach returns at once', async () => {
    await fixture.startGateway();
    const { stdout } = await fixture.run(['run', EXAMPLE, '--detach', '--json']);
    expect(JSON.parse(stdout)).toEqual({ run: 'r-1', name: 'lenet5-mnist', state: 'queued' });
    expect(fixture.gateway?.requests.map(({ operation }) => operation)).toEqual(['StartRun']);
  });

  it('of a bad spec asks nobody, names the line, and ends with 2', async () => {
    await fixture.startGateway();
    const file = join(fixture.directory, 'bad.yaml');
    await writeFile(file, (await readFile(EXAMPLE, 'utf8')).replace('epochs: 3', 'epochs: -3'));
    const result = await fixture.run(['run', file, '--json']);
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/bad\.yaml:\d+:11 {2}student\.epochs/);
    expect(errorOf(result).details['issues']).toEqual([expect.objectContaining({ field: 'student.epochs' })]);
    expect(fixture.gateway?.requests).toEqual([]);
  });

  it('of a teacher that does not exist ends with 2 and the code of the service', async () => {
    const error = {
      code: 'TEACHER.NOT_FOUND',
      message: 'there is no teacher t-0123456789ab',
      retryable: false,
      details: null,
    };
    await fixture.startGateway({
      GetRun: () => ({ run: { ...QUEUED_RUN, state: 'failed', error } }),
      StartRun: () => ({ startRun: { ...QUEUED_RUN, state: 'failed', error } }),
    });
    const result = await fixture.run(['run', EXAMPLE, '--json']);
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
    await fixture.startGateway({ StartRun: () => ({ startRun: { ...QUEUED_RUN, state: 'failed', error } }) });
    const result = await fixture.run(['run', EXAMPLE]);
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.stderr).toContain('error TRAINING.DIVERGED: run r-1 failed: the loss is not finite');
  });

  it('without a stack says how to start one', async () => {
    const result = await fixture.run(['run', EXAMPLE]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('npm run fidelis -- up');
  });

  it('at a gateway that does not answer says where it looked', async () => {
    await fixture.startGateway();
    const url = fixture.gateway?.url ?? '';
    await fixture.stopGateway();
    const result = await fixture.run(['runs', '--gateway', url]);
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
    const { url } = await fixture.startGateway();
    await announce(join(fixture.directory, place), process.pid, url);
    const config = cliConfig({ FIDELIS_DATA_DIR: fixture.directory });
    expect((await fixture.run(['show', 'r-1'], { config })).status).toBe(0);
  });

  it('is not, once its process is gone', async () => {
    const { url } = await fixture.startGateway();
    await announce(fixture.directory, 2 ** 22 + 1, url);
    const config = cliConfig({ FIDELIS_DATA_DIR: fixture.directory });
    expect(errorOf(await fixture.run(['show', 'r-1', '--json'], { config })).code).toBe('SETUP.MISSING');
  });
});

describe('looking at runs', () => {
  it('runs is a table with a hint at what is left out', async () => {
    await fixture.startGateway();
    const { stdout } = await fixture.run(['runs', '--state', 'completed', '--limit', '1']);
    expect(stdout).toMatch(/^run +name +state/);
    expect(stdout).toMatch(/r-1 +lenet5-mnist +completed +3\/3 +96\.43 % +84\.28 %/);
    expect(stdout).toContain('1 of 7 runs');
    expect(fixture.gateway?.requests[0]?.variables).toEqual({
      filter: { state: 'completed' },
      first: 1,
      after: null,
    });
  });

  it('show has stages, lineage and evaluations', async () => {
    await fixture.startGateway();
    const { stdout } = await fixture.run(['show', 'r-1']);
    for (const part of [
      't-0123456789ab',
      '59 published, 59 consumed, 59 trained: the account closes',
      'used again',
      'train-clean',
      'tensorflow 2.21.0',
    ]) {
      expect(stdout).toContain(part);
    }
  });

  it('show of an unknown run ends with 2', async () => {
    await fixture.startGateway({
      GetRunDetails: () => {
        throw new FidelisError('RUN.NOT_FOUND', 'there is no run r-9');
      },
    });
    expect(await fixture.run(['show', 'r-9'])).toMatchObject({
      status: 2,
      stderr: 'error RUN.NOT_FOUND: there is no run r-9\n',
    });
  });

  it('cancel asks for the end of the run', async () => {
    await fixture.startGateway();
    expect((await fixture.run(['cancel', 'r-1'])).stdout).toBe('run r-1 is cancelled\n');
  });
});

describe('doctor', () => {
  it('ends with 1 and advice if something is missing', async () => {
    const findings = [
      { part: 'node', ok: true, version: '20.20.2' },
      { part: 'nats-server', ok: false, advice: 'run `npm run setup`' },
    ];
    const result = await fixture.run(['doctor'], { diagnose: () => Promise.resolve(findings) });
    expect(result.status).toBe(1);
    expect(result.stdout).toContain('✗ nats-server  missing\n               → run `npm run setup`');
    const json = await fixture.run(['doctor', '--json'], {
      diagnose: () => Promise.resolve(findings.slice(0, 1)),
    });
    expect(json.status).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, findings: [{ part: 'node' }] });
  });
});

describe('data', () => {
  it('list names the datasets', async () => {
    const { stdout } = await fixture.run(['data', 'list', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      datasets: [{ name: 'mnist', splits: { train: 60_000 } }, { name: 'fashion-mnist' }],
    });
  });

  it.each(['show', 'get', 'verify', 'remove'])('%s of an unknown one ends with 2', async (command) => {
    const result = await fixture.run(['data', command, 'minst', '--json']);
    expect(result.status).toBe(2);
    expect(errorOf(result)).toMatchObject({ code: 'DATASET.UNKNOWN' });
    expect(result.stderr).toContain('"mnist"');
  });

  it('verify compares every file', async () => {
    const { status, stdout } = await fixture.run(['data', 'verify', 'mnist']);
    expect(status).toBe(0);
    expect(stdout).toContain('mnist is complete');
  });
});
