import { whole } from '../render/figures.js';
import type { Evaluation } from './evaluation.js';
import { INTERVAL_LEVEL } from './intervals.js';

/** How the intervals were made, in words; undefined if there are none. */
export function intervalMethod({
  settings: { seed, resamples, intervals },
}: Pick<Evaluation, 'settings'>): string | undefined {
  if (intervals === 'none') return undefined;
  return `Intervals: ${INTERVAL_LEVEL * 100} %, ${intervals === 'bca' ? 'BCa' : 'percentile'} bootstrap over the samples, ${whole(resamples)} resamples, seed ${seed}.`;
}
