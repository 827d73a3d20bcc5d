import { decimal, whole } from '../render/figures.js';
import type { Inputs } from './open-inputs.js';
import type { ScoreSettings } from './score-inputs.js';

/** Bytes per sample and student that were measured, see docs/evaluate.md. */
const BYTES = { perSample: 420, fullPass: 70 } as const;
const WORTH_SAYING = 2 ** 30;

/** What to say before many samples are held in memory; undefined if they are few. */
export function largeNotice(
  { rows, students }: Pick<Inputs, 'rows' | 'students'>,
  { fast, perSample }: Pick<ScoreSettings, 'fast' | 'perSample'>,
): string | undefined {
  if (fast) return undefined;
  const bytes = rows * students.length * (perSample ? BYTES.perSample + BYTES.fullPass : BYTES.fullPass);
  if (bytes < WORTH_SAYING) return undefined;
  const leaveOut = perSample
    ? '--intervals none leaves out the intervals, --fast all that holds numbers per sample'
    : '--fast leaves out all that holds numbers per sample';
  return `${whole(rows)} samples: this will hold about ${decimal(bytes / 2 ** 30, 1)} GiB. ${leaveOut}.`;
}
