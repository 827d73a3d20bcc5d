import { runStates, type RunRecord } from '@fidelis/contracts';

/**
 * True if `candidate` tells of an earlier moment of the run than `current`. Events can come later than an answer that
 * was read after them; a progress bar must not jump back. A new attempt starts over legitimately.
 */
export function isEarlier(candidate: RunRecord, current: RunRecord): boolean {
  const difference =
    candidate.attempts - current.attempts ||
    runStates.indexOf(candidate.state) - runStates.indexOf(current.state) ||
    candidate.progress.step - current.progress.step;
  return difference < 0;
}
