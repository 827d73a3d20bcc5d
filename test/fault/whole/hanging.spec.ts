import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childrenOf } from '../harness/child-processes.js';
import { FAULT_SPECS } from '../harness/fault-specs.js';
import { FaultStack } from '../harness/fault-stack.js';
import { Survival } from '../harness/survival.js';

/** More than a training process takes to start on a machine that has other things to do. */
const SILENCE_SECONDS = 12;

describe.skipIf(process.platform !== 'linux')('a run whose training process hangs', () => {
  let stack: FaultStack;
  let sut: Survival;

  beforeAll(async () => {
    stack = await FaultStack.start({ env: { FIDELIS_CHILD_SILENCE_SECONDS: String(SILENCE_SECONDS) } });
    sut = new Survival(stack);
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  it('goes on from its checkpoint in a new one, and counts each frame once', async (test) => {
    const run = await sut.expectOf(test, {
      fault: 'training process hangs',
      of: 'sequence',
      strike: async (disturbed, schedule) => {
        await disturbed.trained(schedule.step(FAULT_SPECS.sequence.steps));
        const worker = stack.running.pidOf('student-worker');
        for (const trainer of childrenOf(worker)) process.kill(trainer, 'SIGSTOP');
      },
    });
    expect(run.attempts).toBe(2);
    expect(stack.running.restartsOf('student-worker')).toBe(0);
  });
});
