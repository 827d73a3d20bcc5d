import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@fidelis/testing';
import { describe, expect, it } from 'vitest';

const GATEWAY = fileURLToPath(new URL('../../apps/gateway/dist/main.js', import.meta.url));

/** Forks the service, tells its pid and is gone before the service has loaded. */
const PARENT = `
  const { fork } = require('node:child_process');
  const child = fork(process.argv[1], { stdio: 'ignore', env: { ...process.env, FIDELIS_NATS_URL: 'nats://127.0.0.1:1' } });
  process.stdout.write(String(child.pid));
  child.once('spawn', () => process.kill(process.pid, 'SIGKILL'));
`;

function runs(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
      .toString()
      .startsWith('Z');
  } catch {
    return false;
  }
}

describe('a service whose parent dies while it is still loading', () => {
  it('ends by itself', async () => {
    const parent = spawn(process.execPath, ['-e', PARENT, GATEWAY], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    parent.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await new Promise((resolve) => parent.once('close', resolve));
    const pid = Number(output);
    expect(pid).toBeGreaterThan(0);
    await waitFor(() => !runs(pid), { what: `the orphan ${pid} to end`, deadlineMs: 20_000 });
  });
});
