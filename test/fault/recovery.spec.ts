import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf, exists } from './child-processes.js';
import { RunningStack, smallSpec, type Run } from '../e2e/running-stack.js';

/** Long enough to be caught in the middle. */
function longSpec(name: string): Parameters<RunningStack['startRun']>[0] {
  const { student, ...rest } = smallSpec({ name });
  return { ...rest, student: { ...student, epochs: 24 } };
}

const STEPS = 24 * 47;

const inTheMiddle = ({ state, progress }: Run): boolean => state === 'training' && progress.step > STEPS / 3;

describe.skipIf(process.platform !== 'linux')('a run whose processes are killed in the middle', () => {
  let sut: RunningStack;
  let undisturbed: Run;

  beforeAll(async () => {
    sut = await RunningStack.start();
    undisturbed = await sut.finished(await sut.startRun(longSpec('undisturbed')));
    expect(undisturbed.state).toBe('completed');
  });

  afterAll(async () => {
    await sut[Symbol.asyncDispose]();
  });

  const expectSameStudent = (run: Run): void => {
    expect(run).toMatchObject({ state: 'completed', error: null });
    expect(run.lineage.weightsDigest).toBe(undisturbed.lineage.weightsDigest);
    expect(run.evaluations).toEqual(undisturbed.evaluations);
  };

  it('is completed by the restarted worker, with the same student', async () => {
    const id = await sut.startRun(longSpec('worker-killed'));
    await sut.waitForRun(id, 'to be in the middle', inTheMiddle);
    const worker = sut.pidOf('student-worker');
    const trainers = childrenOf(worker);
    process.kill(worker, 'SIGKILL');
    const run = await sut.finished(id);
    expectSameStudent(run);
    expect(run.attempts).toBe(2);
    expect(trainers).not.toEqual([]);
    expect(trainers.filter(exists)).toEqual([]);
  });

  it('is completed after its training process alone was killed', async () => {
    const id = await sut.startRun(longSpec('trainer-killed'));
    await sut.waitForRun(id, 'to be in the middle', inTheMiddle);
    const restarts = sut.restartsOf('student-worker');
    for (const trainer of childrenOf(sut.pidOf('student-worker'))) process.kill(trainer, 'SIGKILL');
    expectSameStudent(await sut.finished(id));
    expect(sut.restartsOf('student-worker')).toBe(restarts);
  });

  it('is completed although NATS was killed and started again', async () => {
    const id = await sut.startRun(longSpec('nats-killed'));
    await sut.waitForRun(id, 'to be in the middle', inTheMiddle);
    process.kill(sut.pidOf('nats-server'), 'SIGKILL');
    expectSameStudent(await sut.finished(id));
  });

  it('is completed although every service and the database were killed', async () => {
    const id = await sut.startRun(longSpec('all-killed'));
    await sut.waitForRun(id, 'to be in the middle', inTheMiddle);
    for (const name of ['student-control', 'metrics', 'teacher', 'gateway', 'postgresql']) {
      process.kill(sut.pidOf(name), 'SIGKILL');
    }
    expectSameStudent(await sut.finished(id));
  });

  it('is completed although the teacher was killed while it scored', async () => {
    const view = { kind: 'sequence' as const, subset: { size: 640 }, augmentation: [] };
    const { student, ...rest } = smallSpec({ name: 'teacher-killed', view });
    const id = await sut.startRun({ ...rest, student: { ...student, epochs: 60 } });
    await sut.waitForRun(id, 'to have frames', ({ frames }) => frames.published > 0);
    process.kill(sut.pidOf('teacher'), 'SIGKILL');
    const run = await sut.finished(id);
    expect(run).toMatchObject({ state: 'completed', error: null, frames: { published: 600, consumed: 600 } });
  });
});
