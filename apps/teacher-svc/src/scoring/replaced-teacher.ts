import { FidelisError, isGiven } from '@fidelis/contracts';
import type { StreamRow } from '../streams/stream.entity.js';
import { givenDigestOf, weightsDigestOf } from '../teachers/ensemble.js';
import type { TeacherRow } from '../teachers/teacher.entity.js';

/**
 * A stream is of the weights that it was opened with, whatever has the teacher's name now: frames of others under its key would be taken for theirs.
 *
 * @param teacher whose weights are loaded
 * @returns undefined where the stream is theirs
 */
export function replacedTeacher(
  { key, teacherDigest, publishedSteps: step }: StreamRow,
  { id, spec, memberWeights }: TeacherRow,
): FidelisError | undefined {
  const loaded = isGiven(spec) ? givenDigestOf(spec) : weightsDigestOf(memberWeights ?? []);
  if (loaded === teacherDigest) return undefined;
  return new FidelisError(
    'STREAM.MISALIGNED',
    `step ${step}: the logit stream ${key} is of the weights ${teacherDigest}, and teacher ${id} has the weights ${loaded} now: nothing of them was stored there. ` +
      'Start the run again, which opens a stream of the new ones, or put the former weights back',
    { details: { step, key, stream: teacherDigest, teacher: loaded, teacherId: id } },
  );
}
