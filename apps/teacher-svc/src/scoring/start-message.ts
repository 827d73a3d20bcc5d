import {
  FidelisError,
  isGiven,
  type GivenTeacherSpec,
  type Split,
  type TrainedTeacherSpec,
} from '@fidelis/contracts';
import type { ArtifactStore } from '@fidelis/bus';
import { fetchArchive } from '../teachers/fetch-archive.js';
import type { TeacherConfig } from '../config.js';
import type { TeacherRow } from '../teachers/teacher.entity.js';
import type { ModelTeacher, StartMessage, TableTeacher } from './scorer-protocol.js';

/**
 * What a scoring process must know of its teacher.
 * @throws FidelisError TEACHER.NOT_READY, ARTIFACT.NOT_FOUND, ARTIFACT.CORRUPT
 */
export async function startMessage(
  row: TeacherRow,
  artifacts: Pick<ArtifactStore, 'get' | 'stream'>,
  config: TeacherConfig,
  /** For the files of an archive. */
  archiveDirectory: () => Promise<string>,
): Promise<StartMessage> {
  const { id, spec, classes } = row;
  return {
    type: 'start',
    teacherId: id,
    dataset: spec.dataset,
    classes,
    teacher: await teacherOf(row, artifacts, archiveDirectory),
    backend: config.FIDELIS_BACKEND,
    threads: config.FIDELIS_THREADS,
    eager: config.FIDELIS_EAGER,
    graphs: config.FIDELIS_GRAPHS_DIR,
  };
}

async function teacherOf(
  row: TeacherRow,
  artifacts: Pick<ArtifactStore, 'get' | 'stream'>,
  archiveDirectory: () => Promise<string>,
): Promise<StartMessage['teacher']> {
  const { spec } = row;
  if (!isGiven(spec)) return modelTeacher(row, spec, artifacts);
  if (spec.kind === 'table') return tableTeacher(spec, artifacts);
  const directory = await archiveDirectory();
  await fetchArchive(directory, spec.files, artifacts);
  return { kind: 'archive', directory, producer: spec.producer };
}

async function modelTeacher(
  { id, memberWeights }: TeacherRow,
  { architecture }: TrainedTeacherSpec,
  artifacts: Pick<ArtifactStore, 'get'>,
): Promise<ModelTeacher> {
  if (memberWeights === null) {
    throw new FidelisError('TEACHER.NOT_READY', `teacher ${id} has no weights yet`);
  }
  const members = await Promise.all(
    memberWeights.map(async (digest) => ({ digest, weights: await artifacts.get(digest) })),
  );
  return { kind: 'models', architecture, members };
}

async function tableTeacher(
  { members, logits, testLogits }: GivenTeacherSpec,
  artifacts: Pick<ArtifactStore, 'get'>,
): Promise<TableTeacher> {
  const table = async (split: Split, digest: string): Promise<TableTeacher['tables'][number]> => ({
    split,
    digest,
    file: await artifacts.get(digest),
  });
  const train = await table('train', logits);
  const tables = testLogits === null ? [train] : [train, await table('test', testLogits)];
  return { kind: 'table', members, tables };
}
