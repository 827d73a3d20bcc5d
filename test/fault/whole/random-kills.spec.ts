import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Role } from '../harness/disturbance.js';
import { FAULT_SPECS } from '../harness/fault-specs.js';
import { FaultStack } from '../harness/fault-stack.js';
import { Survival } from '../harness/survival.js';

const KILLS = 20;
/** After each of them something has to start, and every killed worker's job waits to be delivered again. */
const DEADLINE_MS = 600_000;
const ROLES: readonly Role[] = [
  'student-worker',
  'student-control',
  'teacher',
  'metrics',
  'gateway',
  'nats-server',
  'postgresql',
];

describe.skipIf(process.platform !== 'linux')('a run through which processes are killed at random', () => {
  let stack: FaultStack;
  let sut: Survival;

  beforeAll(async () => {
    stack = await FaultStack.start();
    sut = new Survival(stack);
    await sut.reference('long sequence');
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  it(
    `survives ${KILLS} of them`,
    async (test) => {
      await sut.expectOf(test, {
        fault: `${KILLS} random kills`,
        of: 'long sequence',
        strike: async (run, schedule) => {
          const { steps } = FAULT_SPECS['long sequence'];
          const victims = schedule.choices(KILLS, ROLES);
          for (const [index, step] of schedule.steps(KILLS, steps, { from: 0.05, to: 0.9 }).entries()) {
            await run.trained(step);
            await stack.disturbance.kill(victims[index] ?? 'student-worker');
          }
        },
      });
    },
    DEADLINE_MS,
  );
});
