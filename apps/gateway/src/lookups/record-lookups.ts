import {
  FidelisError,
  metricsRpc,
  teacherRpc,
  type EvaluationRecord,
  type TeacherRecord,
} from '@fidelis/contracts';
import { Batcher } from './batcher.js';
import type { PlatformClient } from './platform-client.js';

/** What `metrics.evaluations` takes at once. */
const MAX_RUNS_PER_CALL = 200;
const UNLIMITED = Number.POSITIVE_INFINITY;

/** The records that belong to the runs of one request, asked for together. */
export class RecordLookups {
  private readonly evaluations: Batcher<readonly EvaluationRecord[]>;
  private readonly teachers: Batcher<TeacherRecord | null>;

  constructor(
    private readonly platform: PlatformClient,
    private readonly correlationId: string,
  ) {
    this.evaluations = new Batcher<readonly EvaluationRecord[]>(
      (ids) => this.loadEvaluations(ids),
      [],
      MAX_RUNS_PER_CALL,
    );
    this.teachers = new Batcher<TeacherRecord | null>((ids) => this.loadTeachers(ids), null, UNLIMITED);
  }

  evaluationsOf(runId: string): Promise<readonly EvaluationRecord[]> {
    return this.evaluations.get(runId);
  }

  /** Null if there is none of this id. */
  teacher(id: string): Promise<TeacherRecord | null> {
    return this.teachers.get(id);
  }

  private async loadEvaluations(runIds: string[]): Promise<Map<string, EvaluationRecord[]>> {
    const { evaluations } = await this.platform.call(metricsRpc.evaluations, { runIds }, this.correlationId);
    const byRun = new Map<string, EvaluationRecord[]>();
    for (const evaluation of evaluations) {
      const known = byRun.get(evaluation.runId);
      if (known === undefined) byRun.set(evaluation.runId, [evaluation]);
      else known.push(evaluation);
    }
    return byRun;
  }

  private async loadTeachers(ids: string[]): Promise<Map<string, TeacherRecord>> {
    const [only, ...others] = ids;
    if (only !== undefined && others.length === 0) return this.loadTeacher(only);
    const { teachers } = await this.platform.call(teacherRpc.list, {}, this.correlationId);
    return new Map(teachers.map((teacher) => [teacher.id, teacher]));
  }

  private async loadTeacher(id: string): Promise<Map<string, TeacherRecord>> {
    try {
      return new Map([[id, await this.platform.call(teacherRpc.get, { id }, this.correlationId)]]);
    } catch (error) {
      if (FidelisError.is(error) && error.code === 'TEACHER.NOT_FOUND') return new Map();
      throw error;
    }
  }
}
