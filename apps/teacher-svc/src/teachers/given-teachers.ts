import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ArtifactStore } from '@fidelis/bus';
import {
  FidelisError,
  invalidFields,
  type DatasetRef,
  type RpcRequest,
  type Split,
  type teacherRpc,
} from '@fidelis/contracts';
import { datasetInfoOf } from '@fidelis/data';
import type { DatasetCopies } from '@fidelis/service';
import { encodeNpy, readLogits, type LogitTable } from '@fidelis/tables';
import { givenTeacher } from './teacher-records.js';
import type { TeacherRow } from './teacher.entity.js';
import type { TeacherRepository } from './teacher.repository.js';

type Request = RpcRequest<typeof teacherRpc.provide>;

/**
 * Teachers of which only the logits are known. A table is stored as float32 with its members apart, whatever it came as, so that the same logits are the
 * same teacher.
 */
export class GivenTeachers {
  constructor(
    private readonly teachers: TeacherRepository,
    private readonly artifacts: ArtifactStore,
    private readonly datasets: Pick<DatasetCopies, 'ensure'>,
  ) {}

  /** @throws FidelisError DATASET.UNKNOWN, DATASET.MISMATCH, ARTIFACT.NOT_FOUND, SPEC.INVALID with the field */
  async provide({ dataset, logits, testLogits, correlationId }: Request): Promise<TeacherRow> {
    await this.datasets.ensure([dataset]);
    const train = await this.table(dataset, 'train', 'teacher.logits', logits);
    const test =
      testLogits === null ? undefined : await this.table(dataset, 'test', 'teacher.testLogits', testLogits);
    if (test !== undefined && test.members !== train.members) {
      const problem = `has ${test.members} members, and teacher.logits has ${train.members}: both are of one teacher`;
      throw invalidFields([{ field: 'teacher.testLogits', problem }], 'SPEC.INVALID');
    }
    const { classes } = datasetInfoOf(dataset);
    const spec = {
      kind: 'table' as const,
      dataset,
      classes,
      members: train.members,
      logits: await this.store(train, classes),
      testLogits: test === undefined ? null : await this.store(test, classes),
    };
    return this.teachers.createOrGet(givenTeacher(spec, correlationId, new Date()));
  }

  private async table(dataset: DatasetRef, split: Split, field: string, digest: string): Promise<LogitTable> {
    const { splits, classes } = datasetInfoOf(dataset);
    const directory = await mkdtemp(path.join(tmpdir(), 'fidelis-logits-'));
    try {
      const file = path.join(directory, `${digest.slice(0, 12)}.npy`);
      await writeFile(file, await this.artifacts.stream(digest));
      return await readLogits(file, { rows: splits[split], classes });
    } catch (error) {
      const { code, message } = FidelisError.from(error);
      if (code !== 'REQUEST.INVALID' && code !== 'ARTIFACT.NOT_FOUND') throw error;
      const problem = code === 'ARTIFACT.NOT_FOUND' ? `${message}: upload the file first` : message;
      throw invalidFields([{ field, problem }], code === 'ARTIFACT.NOT_FOUND' ? code : 'SPEC.INVALID');
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  private store({ values, members }: LogitTable, classes: number): Promise<string> {
    return this.artifacts.put(encodeNpy(values, [values.length / (members * classes), members, classes]));
  }
}
