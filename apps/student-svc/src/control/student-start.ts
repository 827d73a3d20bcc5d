import {
  canonicalJson,
  invalidFields,
  FidelisError,
  type ArchitectureSpec,
  type ExperimentSpec,
  type StudentStart,
} from '@fidelis/contracts';
import type { TeacherStart } from './run.entity.js';

/**
 * What of a student's initialisation can be refused before its teacher is there.
 *
 * @throws FidelisError SPEC.INVALID
 */
export function checkInitialisation({ student, teacher }: ExperimentSpec): void {
  if ('id' in teacher) return;
  if ('kind' in teacher) checkNoStart(student);
  else checkStart(student, teacher.architecture, teacher.members ?? 1);
}

/** Nobody starts from a table of logits. @throws FidelisError SPEC.INVALID */
export function checkNoStart({ initialisation }: ExperimentSpec['student']): void {
  if (initialisation === undefined || initialisation.kind === 'random') return;
  throw invalid(
    'student.initialisation',
    'a teacher that is a table of logits has no weights to start from: leave the field out, or choose a teacher with weights',
  );
}

/**
 * Whether a student can start from a teacher of this architecture with so many members.
 *
 * @throws FidelisError SPEC.INVALID
 */
export function checkStart(
  { initialisation, architecture }: ExperimentSpec['student'],
  teacher: ArchitectureSpec,
  members: number,
): void {
  if (initialisation === undefined || initialisation.kind === 'random') return;
  if (canonicalJson(architecture) !== canonicalJson(teacher)) {
    throw otherArchitecture(architecture, teacher);
  }
  if (initialisation.member >= members) throw noSuchMember(initialisation.member, members);
}

/**
 * @param teacher absent while it is not ready
 * @returns undefined for a random start
 * @throws FidelisError SPEC.INVALID if the teacher has no such member, or has another architecture
 */
export function studentStart(
  { initialisation, architecture }: ExperimentSpec['student'],
  teacher: TeacherStart | undefined,
): StudentStart | undefined {
  if (initialisation === undefined || initialisation.kind === 'random') return undefined;
  if (teacher === undefined) {
    throw new FidelisError(
      'INTERNAL',
      'a student that starts from its teacher was planned before it is ready',
    );
  }
  if (canonicalJson(architecture) !== canonicalJson(teacher.architecture)) {
    throw otherArchitecture(architecture, teacher.architecture);
  }
  const model = teacher.memberModels[initialisation.member];
  if (model?.weights === undefined || model.weights === null) {
    throw noSuchMember(initialisation.member, teacher.memberModels.length);
  }
  const common = { architecture: teacher.architecture };
  if (initialisation.kind === 'teacher-initial') {
    return { kind: 'teacher-initial', ...common, seed: model.seed };
  }
  const { lambda, rescaleLearningRate, refreshStatistics } = initialisation;
  return {
    kind: 'interpolate',
    ...common,
    weights: model.weights,
    lambda,
    rescaleLearningRate,
    refreshStatistics,
  };
}

function otherArchitecture(student: ArchitectureSpec, teacher: ArchitectureSpec): FidelisError {
  return invalid(
    'student.initialisation',
    `a student can start from its teacher only with the teacher's architecture: this one is ${canonicalJson(student)}, its teacher ${canonicalJson(teacher)}`,
  );
}

function noSuchMember(member: number, members: number): FidelisError {
  return invalid(
    'student.initialisation.member',
    members === 1
      ? `there is no member ${member}: the teacher is a single model, which is member 0`
      : `there is no member ${member}: the teacher has members 0 to ${members - 1}`,
  );
}

function invalid(field: string, problem: string): FidelisError {
  return invalidFields([{ field, problem }], 'SPEC.INVALID');
}
