import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf } from './harness/child-processes.js';
import { FAULT_SPECS } from './harness/fault-specs.js';
import { FaultStack } from './harness/fault-stack.js';
import { Survival } from './harness/survival.js';

const { steps } = FAULT_SPECS.sequence;

describe.skipIf(process.platform !== 'linux')('a run whose processes are killed in the middle', () => {
  let stack: FaultStack;
  let sut: Survival;

  beforeAll(async () => {
    stack = await FaultStack.start();
    sut = new Survival(stack);
    await sut.reference('sequence');
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  it('is completed by the restarted worker, with the same student', async (test) => {
    const run = await sut.expectOf(test, {
      fault: 'worker killed',
      of: 'sequence',
      strike: async (disturbed, schedule) => {
        await disturbed.trained(schedule.step(steps));
        await stack.disturbance.kill('student-worker');
      },
    });
    expect(run.attempts).toBe(2);
  });

  it('is completed after its training process alone was killed', async (test) => {
    const restarts = stack.running.restartsOf('student-worker');
    const run = await sut.expectOf(test, {
      fault: 'training process killed',
      of: 'sequence',
      strike: async (disturbed, schedule) => {
        await disturbed.trained(schedule.step(steps));
        for (const trainer of childrenOf(stack.running.pidOf('student-worker')))
          process.kill(trainer, 'SIGKILL');
      },
    });
    expect(run.attempts).toBe(2);
    expect(stack.running.restartsOf('student-worker')).toBe(restarts);
  });

  it('is completed although NATS was killed and started again', async (test) => {
    await sut.expectOf(test, {
      fault: 'nats-server killed',
      of: 'sequence',
      strike: async (disturbed, schedule) => {
        await disturbed.trained(schedule.step(steps));
        await stack.disturbance.kill('nats-server');
      },
    });
  });

  it('is completed although the teacher was killed while it scored', async (test) => {
    await sut.expectOf(test, {
      fault: 'teacher killed',
      of: 'sequence',
      strike: async (disturbed, schedule) => {
        await disturbed.published(schedule.step(steps));
        await stack.disturbance.kill('teacher');
      },
    });
  });

  it('is completed although every other service and the database were killed', async (test) => {
    await sut.expectOf(test, {
      fault: 'control, metrics, gateway and PostgreSQL killed',
      of: 'sequence',
      strike: async (disturbed, schedule) => {
        await disturbed.trained(schedule.step(steps));
        for (const name of ['student-control', 'metrics', 'gateway', 'postgresql']) {
          await stack.disturbance.kill(name);
        }
      },
    });
  });
});
