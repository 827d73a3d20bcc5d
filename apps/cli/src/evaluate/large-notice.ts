import { decimal, whole } from '../render/figures.js';
import type { Inputs } from './open-inputs.js';
import type { EvaluationSettings } from './evaluation.js';

/** Bytes per sample and student, as measured with labels: docs/evaluate.md. Each kind of work holds those of the kinds before it too. */
const BYTES = { fullPass: 30, tests: 150, intervals: 470 } as const;
const WORTH_SAYING = 2 ** 30;

/** What to say before many samples are held in memory; undefined if they are few. */
export function largeNotice(
  { rows, students }: Pick<Inputs, 'rows' | 'students'>,
  { fast, perSample, intervals }: Pick<EvaluationSettings, 'fast' | 'perSample' | 'intervals'>,
): string | undefined {
  if (fast) return undefined;
  const work = intervals !== 'none' ? 'intervals' : perSample ? 'tests' : 'fullPass';
  const bytes = rows * students.length * BYTES[work];
  if (bytes < WORTH_SAYING) return undefined;
  const leaveOut =
    work === 'intervals'
      ? '--intervals none leaves out the intervals, --fast all that holds numbers per sample'
      : '--fast leaves out all that holds numbers per sample';
  return `${whole(rows)} samples: this will hold about ${decimal(bytes / 2 ** 30, 1)} GiB. ${leaveOut}.`;
}
