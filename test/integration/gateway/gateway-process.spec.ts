import { fork, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startTestNats, waitFor, type TestNats } from '@fidelis/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../../apps/gateway/dist/main.js', import.meta.url));

interface LogLine {
  readonly level: string;
  readonly code?: string;
  readonly msg: string;
  readonly url?: string;
}

let nats: TestNats;
let processes: ChildProcess[] = [];

beforeAll(async () => {
  nats = await startTestNats();
});

afterAll(() => nats?.dispose());

afterEach(() => {
  for (const child of processes) child.kill('SIGKILL');
  processes = [];
});

/** The built gateway, as the stack starts it. */
function start(environment: Record<string, string>): {
  child: ChildProcess;
  lines: LogLine[];
  exit: Promise<number | null>;
} {
  const child = fork(MAIN, {
    env: { PATH: process.env['PATH'], ...environment },
    silent: true,
    execArgv: [],
  });
  processes.push(child);
  const lines: LogLine[] = [];
  let rest = '';
  child.stdout?.on('data', (data: Buffer) => {
    const parts = (rest + data.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as LogLine));
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, lines, exit };
}

async function ready(lines: readonly LogLine[]): Promise<string> {
  const line = await waitFor(() => lines.find(({ msg }) => msg === 'ready'), {
    what: 'the gateway to be ready',
    deadlineMs: 30_000,
  });
  return line.url ?? '';
}

describe('the process of the gateway', () => {
  it('answers when it says that it is ready, and ends in order on SIGTERM', async () => {
    const { child, lines, exit } = start({ FIDELIS_NATS_URL: nats.url });
    const url = await ready(lines);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    const said = (): string[] => lines.map(({ msg }) => String(msg));
    // What it wrote last may be read after its end.
    await expect.poll(said).toEqual(expect.arrayContaining(['draining', 'stopped']));
  });

  it('ends in order when the one who started it is gone', async () => {
    const { child, lines, exit } = start({ FIDELIS_NATS_URL: nats.url });
    await ready(lines);
    child.disconnect();
    expect(await exit).toBe(0);
  });

  it('says which port is in use', async () => {
    const blocker: Server = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as AddressInfo;
    const { lines, exit } = start({ FIDELIS_NATS_URL: nats.url, FIDELIS_HTTP_PORT: String(port) });
    expect(await exit).toBe(1);
    blocker.close();
    const last = await waitFor(() => lines.find(({ level }) => level === 'fatal'), { what: 'the last line' });
    expect(last.code).toBe('PORT.IN_USE');
    expect(last.msg).toContain(String(port));
  });

  it('names the variables that are wrong', async () => {
    const { lines, exit } = start({ FIDELIS_NATS_URL: 'http://localhost', FIDELIS_GRAPHIQL: 'perhaps' });
    expect(await exit).toBe(1);
    await waitFor(() => lines.length === 1, { what: 'the only line' });
    expect(lines[0]).toMatchObject({ level: 'fatal', code: 'CONFIG.INVALID' });
    expect(lines[0]?.msg).toContain('FIDELIS_NATS_URL');
    expect(lines[0]?.msg).toContain('FIDELIS_GRAPHIQL');
  });
});
