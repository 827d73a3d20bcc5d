import type { Split } from '@fidelis/contracts';
import type { StreamRow } from '../streams/stream.entity.js';
import { coversSplit } from '../streams/stream-records.js';
import type { SplitTask } from './scorer-protocol.js';

/** What is left to score for predictions: a stream that covers its split from the first step brings them with it. */
export function splitTasks(
  streams: readonly Pick<StreamRow, 'view' | 'publishedSteps'>[],
  splits: ReadonlySet<Split>,
): SplitTask[] {
  const brought = streams.filter(({ view, publishedSteps }) => coversSplit(view) && publishedSteps === 0);
  return [...splits]
    .filter((split) => !brought.some(({ view }) => view.split === split))
    .map((split) => ({ type: 'score-split', split }));
}
