import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { Run } from '../../e2e/running-stack.js';
import { DisturbedRun } from '../harness/disturbed-run.js';
import { FAULT_SPECS } from '../harness/fault-specs.js';
import { FaultStack } from '../harness/fault-stack.js';
import { weightsInProcess } from '../harness/in-process.js';
import { replicated } from '../harness/replicas.js';
import { Schedule } from '../harness/schedule.js';
import { Survival } from '../harness/survival.js';
import { expectUndisturbed } from '../harness/undisturbed.js';

describe.skipIf(process.platform !== 'linux')(
  'in-process = live = late = replay = killed and resumed',
  () => {
    let stack: FaultStack;
    let sut: Survival;

    beforeAll(async () => {
      stack = await FaultStack.start({ services: replicated({ workers: 1 }) });
      sut = new Survival(stack);
    });

    afterAll(async () => {
      await stack[Symbol.asyncDispose]();
    });

    const sameWeights = async ({ task }: TestContext, of: 'sequence' | 'table'): Promise<void> => {
      const { running } = stack;
      const { spec, steps } = FAULT_SPECS[of];
      const reference = await sut.reference(of);
      const { weightsDigest, teacherDigest, streamKey } = reference.lineage;
      const began = performance.now();
      expect(await weightsInProcess(stack, spec('in-process'), teacherDigest ?? '')).toBe(weightsDigest);

      await stack.removeStream(streamKey ?? '');
      const liveId = await running.startRun(spec('live'));
      const live = new DisturbedRun(stack, liveId, streamKey ?? '');
      await live.trained(new Schedule(`late, ${of}`).step(steps));
      // On the same stream, which has long begun, and by the other worker.
      const lateId = await running.startRun(spec('late'));
      const runs: Run[] = [await running.finished(liveId), await running.finished(lateId)];

      const replayId = await running.startRun(spec('replay'));
      const replay = await running.finished(replayId);
      expect(replay.stages.find(({ name }) => name === 'stream')?.reused).toBe(true);

      const resumedId = await running.startRun(spec('resumed'));
      const resumed = new DisturbedRun(stack, resumedId, streamKey ?? '');
      await resumed.trained(new Schedule(`resumed, ${of}`).step(steps));
      await stack.disturbance.kill((await resumed.position())?.worker ?? '');
      runs.push(replay, await running.finished(resumedId));
      expect(runs.at(-1)?.attempts).toBe(2);

      task.meta.fault = {
        fault: 'none: in-process = live = late = replay = killed and resumed',
        ...{ of, at: resumed.strikes, attempts: null },
        outcome: `weights ${(weightsDigest ?? '').slice(0, 12)}… in all five`,
        seconds: (performance.now() - began) / 1_000,
      };
      for (const run of runs) await expectUndisturbed(stack, run, reference);
    };

    it('on a sequence', (test) => sameWeights(test, 'sequence'));
    it('on a table', (test) => sameWeights(test, 'table'));
  },
);
