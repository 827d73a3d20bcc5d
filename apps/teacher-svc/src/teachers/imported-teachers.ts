import { openArchive, requireDatasets, verifyArchive, type ArchiveManifest } from '@fidelis/archive';
import type { ArtifactStore } from '@fidelis/bus';
import {
  FidelisError,
  type ArchiveFile,
  type DatasetRef,
  type ImportedTeacherSpec,
  type RpcRequest,
  type teacherRpc,
} from '@fidelis/contracts';
import { datasetInfoOf } from '@fidelis/data';
import type { DatasetCopies } from '@fidelis/service';
import { ArchiveScratch, fetchArchive } from './fetch-archive.js';
import { givenTeacher } from './teacher-records.js';
import type { TeacherRow } from './teacher.entity.js';
import type { TeacherRepository } from './teacher.repository.js';

type Request = RpcRequest<typeof teacherRpc.import>;

/** Teachers of which a stored stream was brought here. */
export class ImportedTeachers {
  constructor(
    private readonly teachers: TeacherRepository,
    private readonly artifacts: Pick<ArtifactStore, 'stream'>,
    private readonly datasets: Pick<DatasetCopies, 'ensure'>,
  ) {}

  /**
   * Reads all of it before it is anybody's teacher.
   *
   * @throws FidelisError ARTIFACT.NOT_FOUND, ARCHIVE.INVALID, ARCHIVE.UNSUPPORTED, ARCHIVE.MISMATCH
   */
  async import({ files, correlationId }: Request): Promise<TeacherRow> {
    const scratch = await ArchiveScratch.create();
    try {
      await fetchArchive(scratch.directory, files, this.artifacts);
      const archive = await openArchive(scratch.directory);
      const { manifest } = archive;
      await this.requireDatasetsOf(archive);
      await verifyArchive(scratch.directory);
      return await this.teachers.createOrGet(
        givenTeacher(specOf(manifest, files), correlationId, new Date()),
      );
    } finally {
      await scratch.remove();
    }
  }

  /** @throws FidelisError ARCHIVE.MISMATCH */
  private async requireDatasetsOf(archive: Awaited<ReturnType<typeof openArchive>>): Promise<void> {
    const here = new Map<string, DatasetRef>();
    for (const { dataset } of archive.manifest.samples) {
      try {
        await this.datasets.ensure([dataset]);
        datasetInfoOf(dataset);
        here.set(dataset.name, dataset);
      } catch (error) {
        const { code, details } = FidelisError.from(error);
        if (!code.startsWith('DATASET.') && code !== 'ARTIFACT.NOT_FOUND') throw error;
        const digest = code === 'DATASET.MISMATCH' ? details?.['digest'] : undefined;
        if (typeof digest === 'string') here.set(dataset.name, { name: dataset.name, digest });
      }
    }
    requireDatasets(archive, (name) => here.get(name));
  }
}

function specOf(manifest: ArchiveManifest, files: readonly ArchiveFile[]): ImportedTeacherSpec {
  const { dataset, classes, members, teacherId, teacherDigest, producer, predictions } = manifest;
  const { streamKey: key, view, codec, firstStep, steps } = manifest;
  return {
    kind: 'archive',
    ...{ dataset, classes, members, producer },
    original: { teacherId, teacherDigest },
    stream: { key, view, codec, firstStep, steps },
    splits: predictions.map(({ split }) => split),
    files: [...files].sort((a, b) => (a.file < b.file ? -1 : 1)),
  };
}
