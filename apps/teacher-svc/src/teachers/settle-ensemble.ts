import { weightsDigestOf } from './ensemble.js';
import type { TeacherRow } from './teacher.entity.js';

/**
 * Takes into an ensemble in training what its members have come to: ready when all are, failed when one is.
 *
 * @param members those that exist, in their order
 * @returns whether anything changed
 */
export function settleEnsemble(ensemble: TeacherRow, members: readonly TeacherRow[], now: Date): boolean {
  if (ensemble.state !== 'training') return false;
  const failed = members.find(({ state }) => state === 'failed');
  if (failed !== undefined) {
    ensemble.state = 'failed';
    ensemble.error = {
      code: failed.error?.code ?? 'TEACHER.FAILED',
      message: `member ${members.indexOf(failed)} (teacher ${failed.id}) could not be trained: ${failed.error?.message ?? 'no reason was given'}`,
      retryable: false,
      details: { teacherId: failed.id, cause: failed.error },
    };
    return true;
  }
  const weights = members.flatMap(({ weightsDigest }) => weightsDigest ?? []);
  if (weights.length === ensemble.members) {
    ensemble.state = 'ready';
    ensemble.memberWeights = weights;
    ensemble.weightsDigest = weightsDigestOf(weights);
    ensemble.readyAt = now;
  }
  return moveProgress(ensemble, members) || ensemble.state === 'ready';
}

/** In steps of all members; one that has not started yet has as many as the others. */
function moveProgress(ensemble: TeacherRow, members: readonly TeacherRow[]): boolean {
  const done = members.reduce((sum, { progress }) => sum + progress.done, 0);
  const total = ensemble.members * Math.max(0, ...members.map(({ progress }) => progress.total));
  if (done === ensemble.progress.done && total === ensemble.progress.total) return false;
  ensemble.progress = { done, total };
  return true;
}
