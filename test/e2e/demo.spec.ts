import type { RunRecord } from '@fidelis/contracts';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createTemporaryDirectory, waitFor, type TemporaryDirectory } from '@fidelis/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Command, processesOf } from './command.js';

interface DemoDocument {
  readonly teacher: { readonly accuracy: number };
  readonly student: { readonly accuracy: number; readonly ece: number; readonly nll: number };
  readonly fidelity: { readonly top1Agreement: number; readonly predictiveKl: number };
  readonly backend: string;
  readonly frames: RunRecord['frames'];
  readonly seconds: Readonly<Record<string, number>>;
  readonly lineage: { readonly weightsDigest: string };
  readonly figuresDigest: string;
}

describe.skipIf(process.platform !== 'linux')('fidelis demo', () => {
  let directory: TemporaryDirectory;

  beforeAll(async () => {
    directory = await createTemporaryDirectory('demo');
  });

  afterAll(async () => {
    await directory.remove();
  });

  const demo = async (): Promise<DemoDocument> => {
    const { status, stdout, stderr } = await new Command([
      'demo',
      '--json',
      '--epochs',
      '1',
      '--data-dir',
      directory.path,
    ]).ended;
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout) as DemoDocument;
  };

  it('prints one JSON document, the same figures for the same seed, and leaves nothing running', async () => {
    const first = await demo();
    expect(first.teacher.accuracy).toBeGreaterThan(0.8);
    expect(first.teacher.accuracy).toBeLessThan(0.9);
    expect(first.fidelity.top1Agreement).toBeGreaterThanOrEqual(0.95);
    expect(first.fidelity.predictiveKl).toBeGreaterThan(0);
    expect(first.student.accuracy).toBeGreaterThan(0.8);
    expect(first.student.ece).toBeGreaterThan(0);
    expect(first.student.nll).toBeGreaterThan(0);
    expect(first.frames).toEqual({ published: 59, consumed: 59, trained: 59, closed: true });
    expect(Object.keys(first.seconds).sort()).toEqual([
      'evaluation',
      'stack',
      'stream',
      'student',
      'teacher',
      'total',
    ]);
    expect(first.backend).toMatch(/^(tensorflow|wasm)$/);
    expect(processesOf(directory.path)).toEqual([]);

    const second = await demo();
    expect(second.figuresDigest).toBe(first.figuresDigest);
    expect(second.lineage).toEqual(first.lineage);
    expect(second.fidelity).toEqual(first.fidelity);
  });

  it('stops in order and ends with 130 when it is interrupted', async () => {
    const command = new Command(['demo', '--epochs', '50', '--data-dir', directory.path]);
    await waitFor(() => /student: \d+ %/.test(command.stderr), {
      what: 'the student to train',
      deadlineMs: 120_000,
    });
    expect(processesOf(directory.path)).not.toEqual([]);
    command.interrupt();
    const { status, stdout } = await command.ended;
    expect(status).toBe(130);
    expect(stdout).toBe('');
    await waitFor(() => processesOf(directory.path).length === 0, {
      what: 'every process to be gone',
      deadlineMs: 10_000,
    });
  });

  it('says what is wrong with a data directory that cannot be written', async () => {
    const file = join(directory.path, 'a-file');
    await writeFile(file, '');
    const { status, stdout, stderr } = await new Command([
      'demo',
      '--json',
      '--data-dir',
      join(file, 'below'),
    ]).ended;
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'STORAGE.UNWRITABLE' } });
    expect(stderr).toContain(file);
  });

  it('says which port is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = String((server.address() as AddressInfo).port);
    const { status, stderr } = await new Command(['up', '--port', port, '--data-dir', directory.path]).ended;
    server.close();
    expect(status).toBe(1);
    expect(stderr).toContain(port);
    expect(stderr).toContain('in use');
  });

  it('refuses a spec with the line and the field, and ends with 2', async () => {
    const spec = join(directory.path, 'wrong.yaml');
    await writeFile(spec, 'name: wrong\ndataset: mnist\nstudent:\n  architecture: lenet5\n  epochs: -3\n');
    const { status, stderr } = await new Command(['run', spec]).ended;
    expect(status).toBe(2);
    expect(stderr).toMatch(/wrong\.yaml:5/);
    expect(stderr).toContain('student.epochs');
  });
});
