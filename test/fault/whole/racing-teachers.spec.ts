import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { FaultSpecName } from '../harness/fault-specs.js';
import { FaultStack } from '../harness/fault-stack.js';
import { replicated } from '../harness/replicas.js';
import { sampleOf } from '../harness/service-log.js';
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

  const raced = async (test: TestContext, of: FaultSpecName): Promise<void> => {
    await sut.reference(of);
    const before = await rowsStored();
    await sut.expectOf(test, { fault: 'two racing teachers', of, strike: async () => undefined });
    const after = await rowsStored();
    const [first = 0, second = 0] = after.map((rows, index) => rows - (before[index] ?? 0));
    // Both were at it.
    expect(Math.min(first, second)).toBeGreaterThan(0);
  };

  it('has each step once, in a sequence', (test) => raced(test, 'sequence'));
  it('has each chunk once, in a table', (test) => raced(test, 'table'));
});
