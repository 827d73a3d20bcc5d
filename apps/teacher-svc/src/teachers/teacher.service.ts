import {
  FidelisError,
  trainJob,
  type TrainedTeacherSpec,
  type TrainingProgress,
  type TrainingResult,
} from '@fidelis/contracts';
import type { JobQueue, RunPositions } from '@fidelis/bus';
import type { TeacherConfig } from '../config.js';
import { memberSpecs } from './ensemble.js';
import { settleEnsemble } from './settle-ensemble.js';
import { newTeacher, teacherJobOf, trainedSpecOf } from './teacher-records.js';
import { teacherIdOf } from './teacher-id.js';
import type { TeacherRow } from './teacher.entity.js';
import type { TeacherRepository } from './teacher.repository.js';

/** A teacher's life: asked for, trained by a worker (an ensemble: member by member), ready. Each step can be repeated. */
export class TeacherService {
  constructor(
    private readonly teachers: TeacherRepository,
    private readonly jobs: JobQueue,
    private readonly positions: RunPositions,
    private readonly config: TeacherConfig,
  ) {}

  async ensure(spec: TrainedTeacherSpec, correlationId: string): Promise<TeacherRow> {
    const row = await this.teachers.createOrGet(newTeacher(spec, correlationId, new Date()));
    if (row.state === 'failed' && row.correlationId !== correlationId)
      return this.tryAgain(row, correlationId);
    return row.state === 'training' ? this.train(row) : row;
  }

  /** An ensemble's members are teachers of their own: each is trained, or was already. */
  private async train(row: TeacherRow): Promise<TeacherRow> {
    if (row.members === 1) {
      await this.enqueue(row);
      return row;
    }
    for (const member of memberSpecs(trainedSpecOf(row))) await this.ensure(member, row.correlationId);
    return this.settle(row);
  }

  /** What an ensemble is, its members say. */
  private async settle(row: TeacherRow): Promise<TeacherRow> {
    const ids = memberSpecs(trainedSpecOf(row)).map(teacherIdOf);
    const members = await this.teachers.findAll(ids);
    const settled = await this.teachers.change(row.id, (current) =>
      settleEnsemble(current, members, new Date()),
    );
    return settled ?? row;
  }

  /** What failed for one request may succeed for the next: the reason may be gone. */
  private async tryAgain(failed: TeacherRow, correlationId: string): Promise<TeacherRow> {
    await this.positions.forget(failed.id);
    const row = await this.teachers.change(failed.id, (current) => {
      if (current.state !== 'failed') return false;
      Object.assign(current, { state: 'training', error: null, correlationId });
      return true;
    });
    if (row === undefined) throw new FidelisError('TEACHER.NOT_FOUND', `there is no teacher ${failed.id}`);
    return this.train(row);
  }

  /** Level-triggered: a teacher in training has a result, or a job in the queue; an ensemble has its members. */
  async reconcile(row: TeacherRow): Promise<void> {
    if (row.members > 1) {
      const members = await this.teachers.findAll(memberSpecs(trainedSpecOf(row)).map(teacherIdOf));
      await (members.length < row.members ? this.train(row) : this.settle(row));
      return;
    }
    const found = await this.positions.read(row.id);
    const result = found?.position.result;
    if (result === undefined || result === null) await this.enqueue(row);
    else await this.finished(row.id, result);
  }

  async progressed(report: TrainingProgress): Promise<void> {
    await this.teachers.change(report.runId, (row) => {
      if (row.state !== 'training') return false;
      row.progress = { done: report.step, total: report.steps };
      return true;
    });
  }

  /** An attempt that lost the training has no say in it: a later one is at work, or was. */
  async reported(id: string, token: number, result: TrainingResult): Promise<void> {
    const found = await this.positions.read(id);
    if (found === undefined || found.position.token <= token) await this.finished(id, result);
  }

  async finished(id: string, result: TrainingResult): Promise<void> {
    await this.teachers.change(id, (row) => {
      if (row.state !== 'training') return false;
      switch (result.outcome) {
        case 'completed':
          Object.assign(row, {
            state: 'ready',
            weightsDigest: result.weights,
            memberWeights: [result.weights],
            execution: result.execution ?? null,
            readyAt: new Date(),
          });
          row.progress = { done: result.steps, total: result.steps };
          return true;
        case 'failed':
          Object.assign(row, { state: 'failed', error: result.error });
          return true;
        case 'cancelled':
          Object.assign(row, { state: 'failed', error: cancelledError(id).toWire() });
          return true;
      }
    });
  }

  private async enqueue(row: TeacherRow): Promise<void> {
    await this.jobs.enqueue(trainJob, this.config.FIDELIS_PLACEMENT, row.id, teacherJobOf(row), {
      correlationId: row.correlationId,
    });
  }
}

function cancelledError(id: string): FidelisError {
  return new FidelisError('RUN.CANCELLED', `the training of teacher ${id} was cancelled: ask for it again`);
}
