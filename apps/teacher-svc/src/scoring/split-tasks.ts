import type { Split, ViewSpec } from '@fidelis/contracts';
import { coversSplit } from '../streams/stream-records.js';
import type { SplitTask } from './scorer-protocol.js';

/** A stream in hand. */
export interface StreamInHand {
  readonly view: ViewSpec;
  /** Whether its first step was, or will be, scored by the process that scores the last. */
  readonly fromStart: boolean;
}

/** What is left to score for predictions: a stream that covers its split, scored from its first step to its last, brings them with it. */
export function splitTasks(streams: readonly StreamInHand[], splits: ReadonlySet<Split>): SplitTask[] {
  const brought = streams.filter(({ view, fromStart }) => coversSplit(view) && fromStart);
  return [...splits]
    .filter((split) => !brought.some(({ view }) => view.split === split))
    .map((split) => ({ type: 'score-split', split }));
}
