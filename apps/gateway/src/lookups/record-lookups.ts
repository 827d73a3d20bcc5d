import {
  FidelisError,
  teacherRpc,
  type DetailOf,
  type DetailSection,
  type EvaluationRecord,
  type TeacherRecord,
} from '@fidelis/contracts';
import { Batcher } from './batcher.js';
import { EvaluationLookups } from './evaluation-lookups.js';
import type { PlatformClient } from './platform-client.js';

const UNLIMITED = Number.POSITIVE_INFINITY;

/** The records that belong to the runs of one request, asked for together. */
export class RecordLookups {
  private readonly evaluations: EvaluationLookups;
  private readonly teachers: Batcher<TeacherRecord | null>;

  constructor(
    private readonly platform: PlatformClient,
    private readonly correlationId: string,
  ) {
    this.evaluations = new EvaluationLookups(platform, correlationId);
    this.teachers = new Batcher<TeacherRecord | null>((ids) => this.loadTeachers(ids), null, UNLIMITED);
  }

  evaluationsOf(runId: string): Promise<readonly EvaluationRecord[]> {
    return this.evaluations.ofRun(runId);
  }

  /** Null where the evaluation has no details. */
  evaluationDetail<Name extends DetailSection['section']>(
    section: Extract<DetailSection, { section: Name }>,
  ): Promise<DetailOf<Name> | null> {
    return this.evaluations.detail(section);
  }

  /** Null if there is none of this id. */
  teacher(id: string): Promise<TeacherRecord | null> {
    return this.teachers.get(id);
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
