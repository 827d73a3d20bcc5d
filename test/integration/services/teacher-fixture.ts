import type { DatasetRef, TeacherSpec } from '@fidelis/contracts';
import type { DataSource } from 'typeorm';

export const TEACHER_ID = 't-0123456789ab';

/** A teacher that is trained: only its row is there, unless the weights are those of an artifact. */
export async function insertTeacher(
  dataSource: DataSource,
  dataset: DatasetRef,
  weightsDigest = 'fe'.repeat(32),
  id = TEACHER_ID,
): Promise<void> {
  const recipe = { epochs: 1, batchSize: 128, optimizer: { kind: 'sgd', learningRate: 0.01 } };
  const spec = {
    architecture: { name: 'lenet5' },
    dataset,
    seed: 0,
    train: recipe,
  } as unknown as TeacherSpec;
  await dataSource.query(
    `INSERT INTO teachers (id, state, spec, classes, members, weights_digest, member_weights, progress, correlation_id, created_at, ready_at)
     VALUES ($1, 'ready', $2, 10, 1, $3, $4, '{"done":1,"total":1}', 'c-0', now(), now())`,
    [id, spec, weightsDigest, JSON.stringify([weightsDigest])],
  );
}
