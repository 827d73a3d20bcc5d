import { canonicalJson, sha256Hex, type TeacherSpec } from '@fidelis/contracts';

/** A teacher that was trained to a spec has the spec's name: asking for the same one twice trains it once. */
export function teacherIdOf(spec: TeacherSpec): string {
  return `t-${sha256Hex(canonicalJson(spec)).slice(0, 12)}`;
}
