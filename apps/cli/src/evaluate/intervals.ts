import type { SampleStatistics } from '@fidelis/fidelity';
import type { Intervals } from '@fidelis/report';
import { bootstrapSteps, type BootstrapMethod } from '@fidelis/statistics';
import { studentStatistics, teacherStatistics, type BinChoice } from './interval-statistics.js';
import type { WorkProgress } from './work-progress.js';

export const INTERVAL_LEVEL = 0.95;

export interface IntervalSettings extends BinChoice {
  readonly intervals: BootstrapMethod | 'none';
  readonly seed: number;
  readonly resamples: number;
}

export interface EvaluationIntervals {
  readonly teacher: Intervals;
  /** One entry per student. */
  readonly students: readonly Intervals[];
}

/**
 * Bootstrap intervals of everything that is said of the teacher and its students. All see the same resamples.
 *
 * @param samples of each student; none if no intervals are wanted
 */
export async function intervalsOf(
  samples: readonly SampleStatistics[],
  { intervals: method, seed, resamples, ...bins }: IntervalSettings,
  progress: WorkProgress,
): Promise<EvaluationIntervals> {
  const [first] = samples;
  if (method === 'none' || first === undefined) return { teacher: {}, students: samples.map(() => ({})) };
  const owners = [
    teacherStatistics(first, bins),
    ...samples.map((student) => studentStatistics(student, bins)),
  ];
  const all = Object.fromEntries(
    owners.flatMap((statistics, owner) =>
      Object.entries(statistics).map(([path, statistic]) => [`${owner} ${path}`, statistic] as const),
    ),
  );
  const steps = bootstrapSteps(all, { seed, resamples, method, level: INTERVAL_LEVEL });
  let step = steps.next();
  while (step.done !== true) {
    await progress.advance({ label: 'intervals', done: step.value, total: resamples, unit: 'resamples' });
    step = steps.next();
  }
  const found = step.value;
  const [teacher = {}, ...students] = owners.map((statistics, owner): Intervals =>
    Object.fromEntries(
      Object.keys(statistics).flatMap((path): [string, [number, number]][] => {
        const interval = found[`${owner} ${path}`];
        return interval === undefined ? [] : [[path, [interval.lo, interval.hi]]];
      }),
    ),
  );
  return { teacher, students };
}
