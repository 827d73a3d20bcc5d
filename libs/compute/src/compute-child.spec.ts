import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ComputeChild } from './compute-child.js';

const ECHO = new URL('../fixtures/echo-child.mjs', import.meta.url);

async function collect(child: ComputeChild<unknown, unknown>): Promise<unknown[]> {
  const received: unknown[] = [];
  for await (const message of child.messages) received.push(message);
  return received;
}

describe('ComputeChild', () => {
  it('carries typed arrays both ways, and ends with the goodbye', async () => {
    const child = ComputeChild.spawn<unknown, unknown>(ECHO);
    await child.send({ logits: new Float32Array([1.5, -2]) });
    await child.send('goodbye');
    expect(await collect(child)).toEqual([{ logits: new Float32Array([1.5, -2]) }]);
    expect(await child.exit).toEqual({ code: 0, signal: null, expected: true });
  });

  it.each([
    ['none', {}, '-1'],
    ['none', { FIDELIS_PLACEMENT: 'cpu' }, '-1'],
    ['those that there are', { FIDELIS_PLACEMENT: 'gpu', CUDA_VISIBLE_DEVICES: '0' }, '0'],
  ])('lets a child see %s of the GPUs: %j', async (_, env, visible) => {
    const child = ComputeChild.spawn<unknown, unknown>(ECHO, { env });
    await child.send('gpus');
    await child.send('goodbye');
    expect(await collect(child)).toEqual([visible]);
  });

  it('says by which signal a child ended, and what it wrote last', async () => {
    const lines: string[] = [];
    const child = ComputeChild.spawn<unknown, unknown>(ECHO, { onStderrLine: (line) => lines.push(line) });
    await child.send('crash');
    await expect(collect(child)).rejects.toMatchObject({
      code: 'TRAINING.CHILD_EXITED',
      message: expect.stringContaining('by SIGKILL') as string,
      details: { code: null, signal: 'SIGKILL', stderr: ['about to crash'] },
    });
    expect(lines).toEqual(['about to crash']);
    await expect(child.send('more')).rejects.toMatchObject({ code: 'TRAINING.CHILD_EXITED' });
  });

  it('says the same to whoever is sending when it ends', async () => {
    const child = ComputeChild.spawn<unknown, unknown>(ECHO);
    const messages = collect(child).catch(() => undefined);
    await child.send('crash');
    const payload = new Float32Array(100_000);
    const sending = async (): Promise<void> => {
      for (;;) await child.send(payload);
    };
    await expect(sending()).rejects.toMatchObject({ code: 'TRAINING.CHILD_EXITED' });
    await messages;
  });

  it('takes an exit without a goodbye for a crash', async () => {
    const child = ComputeChild.spawn<unknown, unknown>(ECHO);
    await child.send('leave');
    await expect(collect(child)).rejects.toMatchObject({
      code: 'TRAINING.CHILD_EXITED',
      details: { code: 3, signal: null },
    });
  });

  it("throws the child's own error", async () => {
    const child = ComputeChild.spawn<unknown, unknown>(ECHO);
    await child.send('fail');
    await expect(collect(child)).rejects.toMatchObject({ code: 'INTERNAL', message: 'out of ideas' });
  });

  it('reports an entry that does not exist', async () => {
    const child = ComputeChild.spawn<unknown, unknown>(new URL('file:///nowhere/child.mjs'), {
      onStderrLine: () => undefined,
    });
    await expect(collect(child)).rejects.toMatchObject({ code: 'TRAINING.CHILD_EXITED' });
  });

  it('stops an idle child without a signal', async () => {
    const child = ComputeChild.spawn<unknown, unknown>(ECHO);
    await child.send('ready');
    const messages = collect(child);
    expect(await child.stop({ graceMs: 10_000 })).toEqual({ code: 0, signal: null, expected: true });
    expect(await messages).toEqual(['ready']);
  });

  it('ends a child that does not answer', async () => {
    const child = ComputeChild.spawn<unknown, unknown>(ECHO);
    await child.send('hang');
    expect(await child.stop({ graceMs: 200 })).toMatchObject({ signal: 'SIGTERM' });
  });

  it('ends with its parent', async () => {
    const program = `
      import { ComputeChild } from '@fidelis/compute';
      const child = ComputeChild.spawn(new URL(${JSON.stringify(ECHO.href)}));
      await child.send('ready');
      for await (const _ of child.messages) { process.stdout.write(String(child.pid)); process.kill(process.pid, 'SIGKILL'); }`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
