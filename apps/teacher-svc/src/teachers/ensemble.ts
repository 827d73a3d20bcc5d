import {
  canonicalJson,
  isGiven,
  sha256Hex,
  type GivenTeacherSpec,
  type ImportedTeacherSpec,
  type MemberModel,
  type TeacherSpec,
  type TrainedTeacherSpec,
} from '@fidelis/contracts';
import { teacherIdOf } from './teacher-id.js';

/** 2^32 divided by the golden ratio: seeds of neighbouring ensembles do not meet, nor does a student's (seed + 1). */
const SEED_STRIDE = 0x9e3779b9;

/**
 * What each member is by itself: a teacher like any other, which is trained once however many ensembles it is in. The first has the
 * ensemble's own seed.
 */
export function memberSpecs({ members = 1, ...single }: TrainedTeacherSpec): TrainedTeacherSpec[] {
  return Array.from({ length: members }, (_, index) => ({
    ...single,
    seed: (single.seed + Math.imul(index, SEED_STRIDE)) >>> 0,
  }));
}

/** @param weights digests by member; absent while they are in training. A table of logits has no models */
export function memberModels(spec: TeacherSpec, weights: readonly string[] | null): MemberModel[] {
  if (isGiven(spec)) return [];
  return memberSpecs(spec).map((member, index) => ({
    teacherId: teacherIdOf(member),
    seed: member.seed,
    weights: weights?.[index] ?? null,
  }));
}

/** Identity of a teacher that is known by its answers: of an imported one that of its weights, wherever they are. */
export function givenDigestOf(spec: GivenTeacherSpec | ImportedTeacherSpec): string {
  if (spec.kind === 'archive') return spec.original.teacherDigest;
  const { dataset, logits, testLogits } = spec;
  return sha256Hex(canonicalJson({ dataset: dataset.digest, logits, testLogits }));
}

/** Identity of a teacher's weights: a single model's own digest, or one over those of all members in order. */
export function weightsDigestOf(memberWeights: readonly string[]): string {
  const [only, ...others] = memberWeights;
  return only !== undefined && others.length === 0 ? only : sha256Hex(canonicalJson([...memberWeights]));
}
