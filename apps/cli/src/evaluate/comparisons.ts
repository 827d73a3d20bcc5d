import type { SampleStatistics } from '@fidelis/fidelity';
import type { Comparison } from '@fidelis/report';
import { discordantPairs, holm, mcnemarTest, pairedPermutationSteps } from '@fidelis/statistics';
import type { WorkProgress } from './work-progress.js';

export interface ComparedStudent {
  readonly name: string;
  readonly samples: SampleStatistics;
}

type Uncorrected = Omit<Comparison, 'pValueHolm'>;

/**
 * Tests every pair of students on the same samples: McNemar on agreement with the teacher and, with labels, on correctness; a
 * permutation test on the mean KL, unless one is +∞. The p-values are corrected together (Holm).
 */
export async function compareStudents(
  students: readonly ComparedStudent[],
  seed: number,
  progress: WorkProgress,
): Promise<Comparison[]> {
  const pairs = students.flatMap((first, index) =>
    students.slice(index + 1).map((second) => [first, second] as const),
  );
  const tests: Uncorrected[] = [];
  for (const [index, [first, second]] of pairs.entries()) {
    const steps = comparePair(first, second, seed);
    let step = steps.next();
    while (step.done !== true) {
      await progress.advance({
        label: 'comparing',
        done: Math.floor((index + step.value) * 100),
        total: pairs.length * 100,
        unit: '%',
        note: `${first.name} − ${second.name}`,
      });
      step = steps.next();
    }
    tests.push(...step.value);
  }
  const corrected = holm(tests.map(({ pValue }) => pValue));
  return tests.map((test, index) => ({ ...test, pValueHolm: corrected[index] ?? 1 }));
}

/** Yields the share of the work that is done. */
function* comparePair(
  first: ComparedStudent,
  second: ComparedStudent,
  seed: number,
): Generator<number, Uncorrected[]> {
  const names = { first: first.name, second: second.name };
  const a = first.samples;
  const b = second.samples;
  const tests = [{ ...names, ...mcnemar('agreement', a.agree, b.agree) }];
  if (a.labelled !== undefined && b.labelled !== undefined) {
    tests.push({ ...names, ...mcnemar('correctness', a.labelled.correctStudent, b.labelled.correctStudent) });
  }
  const differences = a.kl.map((value, index) => value - (b.kl[index] ?? NaN));
  if (!differences.every((value) => Number.isFinite(value))) return tests;
  const { meanDifference, pValue, method } = yield* pairedPermutationSteps(differences, { seed });
  return [
    ...tests,
    { ...names, on: 'predictiveKl', test: 'permutation', method, difference: meanDifference, pValue },
  ];
}

function mcnemar(
  on: Comparison['on'],
  first: Uint8Array,
  second: Uint8Array,
): Omit<Uncorrected, 'first' | 'second'> {
  const { onlyFirst, onlySecond, method, pValue } = mcnemarTest(discordantPairs(first, second));
  const difference = (onlyFirst - onlySecond) / first.length;
  return { on, test: 'mcnemar', method, difference, onlyFirst, onlySecond, pValue };
}
