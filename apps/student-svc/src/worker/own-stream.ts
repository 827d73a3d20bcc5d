import { FidelisError, streamKey, type StudentJob } from '@fidelis/contracts';
import type { Dataset } from '@fidelis/data';

/**
 * Whether the job's stream is that of the job's teacher over the job's view, and answers what the student is asked. Every frame is held to the stream's key, so
 * that this is said of each of them; the student need not take anybody's word for it.
 *
 * @throws FidelisError MODEL.MISMATCH; STREAM.MISALIGNED
 */
export function requireOwnStream(job: StudentJob, dataset: Pick<Dataset, 'name' | 'classes'>): void {
  const { stream, view, teacherId, teacherDigest, classes } = job;
  for (const [whose, found] of [
    [`the stream ${stream.key} of teacher ${teacherId}`, stream.classes],
    [`the dataset ${dataset.name}`, dataset.classes],
  ] as const) {
    if (found === classes) continue;
    throw new FidelisError(
      'MODEL.MISMATCH',
      `${whose} has ${found} classes, and the student has ${classes} classes: nothing was trained, from step 0 on. ` +
        'Choose a teacher and a student of the same dataset',
      {
        details: {
          step: 0,
          student: { classes },
          teacher: { streamKey: stream.key, classes: stream.classes },
        },
      },
    );
  }
  const key = streamKey(teacherDigest, view, stream.codec);
  if (key === stream.key) return;
  throw new FidelisError(
    'STREAM.MISALIGNED',
    `the logits of teacher ${teacherId} with the weights ${teacherDigest} over the student's view are the stream ${key}, and the run was given ${stream.key}: ` +
      'that is of another teacher, another view or another codec. Nothing was trained, from step 0 on; start the run again',
    {
      details: {
        step: 0,
        student: { view, streamKey: key, teacherDigest },
        teacher: { streamKey: stream.key, ...(stream.view === undefined ? {} : { view: stream.view }) },
      },
    },
  );
}
