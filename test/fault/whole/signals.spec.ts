import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { childrenOf } from '../harness/child-processes.js';
import type { Role } from '../harness/disturbance.js';
import type { DisturbedRun } from '../harness/disturbed-run.js';
import { FAULT_SPECS, type FaultSpecName } from '../harness/fault-specs.js';
import { FaultStack } from '../harness/fault-stack.js';
import type { Schedule } from '../harness/schedule.js';
import { Survival } from '../harness/survival.js';

const PAUSE_MS = 20_000;
/** Longer than the queue waits for a sign of life (30 s), shorter than a compute process may be silent (120 s). */
const LONG_STEP_MS = 45_000;

describe.skipIf(process.platform !== 'linux')('a run one of whose processes gets a signal', () => {
  let stack: FaultStack;
  let sut: Survival;

  beforeAll(async () => {
    stack = await FaultStack.start();
    sut = new Survival(stack);
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  /** In the middle of what the program does in the run: a teacher of a table scores before the student trains. */
  const reached = (role: Role, of: FaultSpecName, run: DisturbedRun, schedule: Schedule): Promise<void> =>
    role === 'teacher' && of === 'table'
      ? run.published(schedule.step(FAULT_SPECS.table.frames, { from: 0.1, to: 0.4 }))
      : run.trained(schedule.step(FAULT_SPECS[of].steps));

  const killed = async (test: TestContext, role: Role, of: FaultSpecName): Promise<void> => {
    await sut.expectOf(test, {
      fault: `${role} killed`,
      of,
      strike: async (run, schedule) => {
        await reached(role, of, run, schedule);
        await stack.disturbance.kill(role);
      },
    });
  };

  const paused = async (test: TestContext, role: Role, of: FaultSpecName): Promise<void> => {
    const run = await sut.expectOf(test, {
      fault: `${role} stopped for ${PAUSE_MS / 1_000} s`,
      of,
      strike: async (disturbed, schedule) => {
        await reached(role, of, disturbed, schedule);
        await stack.disturbance.pauseFor(role, PAUSE_MS);
      },
    });
    // Nobody else was there to take its work over.
    expect(run.attempts).toBe(1);
  };

  it('survives the death of its worker, on a table', (test) => killed(test, 'student-worker', 'table'));
  it('survives the death of its teacher, on a table', (test) => killed(test, 'teacher', 'table'));
  it('survives the death of the metrics service', (test) => killed(test, 'metrics', 'sequence'));
  it('survives the death of the gateway', (test) => killed(test, 'gateway', 'sequence'));
  it('survives the death of student control', (test) => killed(test, 'student-control', 'sequence'));
  it('survives the death of NATS, on a table', (test) => killed(test, 'nats-server', 'table'));

  it('survives the death of NATS while its teacher scores a table', async (test) => {
    await sut.expectOf(test, {
      fault: 'nats-server killed while a table is scored',
      of: 'table',
      strike: async (run, schedule) => {
        await run.published(schedule.step(FAULT_SPECS.table.frames, { from: 0.1, to: 0.4 }));
        await stack.disturbance.kill('nats-server');
      },
    });
  });

  it('keeps its job while one of its steps takes longer than the queue waits for a sign of life', async (test) => {
    const run = await sut.expectOf(test, {
      fault: `training process stopped for ${LONG_STEP_MS / 1_000} s`,
      of: 'sequence',
      strike: async (disturbed, schedule) => {
        await disturbed.trained(schedule.step(FAULT_SPECS.sequence.steps));
        const trainers = childrenOf(stack.running.pidOf('student-worker'));
        for (const trainer of trainers) process.kill(trainer, 'SIGSTOP');
        await delay(LONG_STEP_MS);
        for (const trainer of trainers) process.kill(trainer, 'SIGCONT');
      },
    });
    expect(run.attempts).toBe(1);
  });

  it('survives a restart of PostgreSQL', async (test) => {
    await sut.expectOf(test, {
      fault: 'postgresql restarted',
      of: 'sequence',
      strike: async (run, schedule) => {
        await run.trained(schedule.step(FAULT_SPECS.sequence.steps));
        await stack.disturbance.restart('postgresql');
      },
    });
  });

  it('survives a pause of its worker, on a sequence', (test) => paused(test, 'student-worker', 'sequence'));
  it('survives a pause of its worker, on a table', (test) => paused(test, 'student-worker', 'table'));
  it('survives a pause of its teacher, on a sequence', (test) => paused(test, 'teacher', 'sequence'));
  it('survives a pause of its teacher, on a table', (test) => paused(test, 'teacher', 'table'));

  it('survives the death of the metrics service while it evaluates', async (test) => {
    await sut.expectOf(test, {
      fault: 'metrics killed at the end of the training',
      of: 'sequence',
      strike: async (run) => {
        await run.trained(FAULT_SPECS.sequence.steps - 1);
        await stack.disturbance.kill('metrics');
      },
    });
  });
});
