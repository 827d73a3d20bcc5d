import type { DatasetRef, TeacherJob } from '@fidelis/contracts';
import type { BatchSource } from './batch.js';
import type { Dataset } from './dataset.js';
import { randomKey, randomUint32 } from './random.js';
import { createSequenceView } from './sequence-view.js';
import { batchesOf, createTableView } from './table-view.js';

/** The part of a teacher's training that decides its batches. */
export type TeacherData = Pick<TeacherJob, 'subset' | 'augmentation' | 'seed' | 'batchSize'> & {
  readonly dataset: DatasetRef;
};

/**
 * What a teacher is trained on: samples as they are, in a new order every epoch; with augmentations each in a new form, too.
 *
 * @throws FidelisError DATASET.MISMATCH, SPEC.INVALID
 */
export function teacherBatches(
  dataset: Dataset,
  { dataset: ref, subset, augmentation = [], seed, batchSize }: TeacherData,
): BatchSource {
  const base = { dataset: ref, split: 'train', ...(subset === undefined ? {} : { subset }) } as const;
  if (augmentation.length === 0) {
    return batchesOf(createTableView(dataset, { kind: 'table', ...base }), { seed, batchSize });
  }
  // A student's view has the experiment's seed unless it says otherwise, and so has its teacher: with one seed for both, the student would
  // be shown the very crops that its teacher learned by heart.
  const ownSeed = randomUint32(randomKey(seed, 'teacher-view'), [0, 0], 0);
  return createSequenceView(dataset, { kind: 'sequence', ...base, augmentation, seed: ownSeed, batchSize });
}
