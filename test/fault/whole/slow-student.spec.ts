import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DisturbedRun } from '../harness/disturbed-run.js';
import { FAULT_SPECS } from '../harness/fault-specs.js';
import { FaultStack, LEAD_STEPS } from '../harness/fault-stack.js';
import { replicated } from '../harness/replicas.js';
import { Schedule } from '../harness/schedule.js';
import { Survival } from '../harness/survival.js';
import { expectUndisturbed } from '../harness/undisturbed.js';

describe.skipIf(process.platform !== 'linux')('a slow student beside fast ones on one stream', () => {
  let stack: FaultStack;
  let sut: Survival;

  beforeAll(async () => {
    stack = await FaultStack.start({ services: replicated({ workers: 2 }) });
    sut = new Survival(stack);
    await sut.reference('sequence');
    await sut.reference('slow student');
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  it('does not hold them: they end more than the lead before it, and all come to their own weights', async ({
    task,
  }) => {
    const { running } = stack;
    const [fastReference, slowReference] = await Promise.all([
      sut.reference('sequence'),
      sut.reference('slow student'),
    ]);
    const { streamKey } = slowReference.lineage;
    expect(streamKey).toBe(fastReference.lineage.streamKey);
    await stack.removeStream(streamKey ?? '');

    const { spec, steps } = FAULT_SPECS['slow student'];
    const slow = new DisturbedRun(stack, await running.startRun(spec('slow')), streamKey ?? '');
    await slow.trained(new Schedule('slow student').step(steps, { from: 0.01, to: 0.1 }));
    const began = performance.now();
    const fastIds = await Promise.all(
      ['fast-1', 'fast-2'].map((name) => running.startRun(FAULT_SPECS.sequence.spec(name))),
    );
    const fast = await Promise.all(fastIds.map((id) => running.finished(id)));
    const seconds = (performance.now() - began) / 1_000;
    const slowStep = (await slow.position())?.trainedStep ?? steps;
    const behind = FAULT_SPECS.sequence.steps - 1 - slowStep;
    task.meta.fault = {
      fault: 'a slow student beside two fast ones',
      of: 'sequence',
      at: slow.strikes,
      attempts: Math.max(...fast.map(({ attempts }) => attempts)),
      seconds,
      outcome: `fast ones done, same weights, ${behind} steps before the slow one (lead ${LEAD_STEPS})`,
    };
    expect(slowStep).toBeLessThan(steps - 1);
    expect(behind).toBeGreaterThan(LEAD_STEPS);
    const slowRun = await running.finished(slow.id);
    for (const run of fast) await expectUndisturbed(stack, run, fastReference);
    await expectUndisturbed(stack, slowRun, slowReference);
  });
});
