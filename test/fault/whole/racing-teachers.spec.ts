import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { DisturbedRun } from '../harness/disturbed-run.js';
import { FAULT_SPECS, type FaultSpecName } from '../harness/fault-specs.js';
import { FaultStack } from '../harness/fault-stack.js';
import { replicated } from '../harness/replicas.js';
import { sampleOf } from '../harness/service-log.js';
import type { Schedule } from '../harness/schedule.js';
import { Survival } from '../harness/survival.js';

const TEACHERS = ['teacher', 'teacher-2'];

describe.skipIf(process.platform !== 'linux')('a stream that two teachers score at once', () => {
  let stack: FaultStack;
  let sut: Survival;

  beforeAll(async () => {
    stack = await FaultStack.start({ services: replicated({ teacher: 'twin' }) });
    sut = new Survival(stack);
  });

  afterAll(async () => {
    await stack[Symbol.asyncDispose]();
  });

  const rowsStored = (): Promise<number[]> =>
    Promise.all(TEACHERS.map((teacher) => sampleOf(stack, teacher, 'fidelis_teacher_rows_total')));

  const rowsSince = async (before: readonly number[]): Promise<number[]> =>
    (await rowsStored()).map((rows, index) => rows - (before[index] ?? 0));

  const raced = async (
    test: TestContext,
    of: FaultSpecName,
    strike: (run: DisturbedRun, before: readonly number[], schedule: Schedule) => Promise<void>,
  ): Promise<void> => {
    await sut.reference(of);
    const before = await rowsStored();
    await sut.expectOf(test, {
      fault: 'two racing teachers',
      of,
      strike: (run, schedule) => strike(run, before, schedule),
    });
    // Both were at it.
    expect(Math.min(...(await rowsSince(before)))).toBeGreaterThan(0);
  };

  it('has each step once, in a sequence', (test) => raced(test, 'sequence', async () => undefined));

  it('has each chunk once, in a table', (test) =>
    raced(test, 'table', async (run, before, schedule) => {
      await run.published(schedule.step(FAULT_SPECS.table.frames, { from: 0.1, to: 0.4 }));
      // A table is soon scored: the first teacher waits until the second is at it, and wakes up with scored chunks in hand.
      const [first = 0] = await rowsSince(before);
      const frozen = stack.disturbance.pause(TEACHERS[first > 0 ? 0 : 1] ?? '', { children: false });
      const stored = (await stack.log.lastStep(run.streamKey, 1)) + 1;
      await run.published(stored + 1).finally(() => frozen.resume());
    }));
});
