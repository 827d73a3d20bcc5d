import { FidelisError } from '@fidelis/contracts';
import type { ArtifactStore } from '@fidelis/bus';
import type { TeacherConfig } from '../config.js';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import type { StartMessage } from './scorer-protocol.js';

/**
 * What a scoring process must know of its teacher.
 * @throws FidelisError TEACHER.NOT_READY, ARTIFACT.NOT_FOUND, ARTIFACT.CORRUPT
 */
export async function startMessage(
  { id, memberWeights, spec, classes }: TeacherRow,
  artifacts: Pick<ArtifactStore, 'get'>,
  config: TeacherConfig,
): Promise<StartMessage> {
  if (memberWeights === null) {
    throw new FidelisError('TEACHER.NOT_READY', `teacher ${id} has no weights yet`);
  }
  const members = await Promise.all(
    memberWeights.map(async (digest) => ({ digest, weights: await artifacts.get(digest) })),
  );
  return {
    type: 'start',
    teacherId: id,
    dataset: spec.dataset,
    classes,
    teacher: { kind: 'models', architecture: spec.architecture, members },
    backend: config.FIDELIS_BACKEND,
    threads: config.FIDELIS_THREADS,
    eager: config.FIDELIS_EAGER,
    graphs: config.FIDELIS_GRAPHS_DIR,
  };
}
