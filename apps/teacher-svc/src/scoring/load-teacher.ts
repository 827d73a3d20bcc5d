import { FidelisError, sha256Hex } from '@fidelis/contracts';
import type { InputShape } from '@fidelis/data';
import { EAGER, Predictor, type FunctionCompiler } from '@fidelis/distillation';
import { createModel, decodeWeights, type Model } from '@fidelis/models';
import { npyFloats } from '@fidelis/tables';
import { Canary } from './canary.js';
import type { ImmediateLogits } from './logit-source.js';
import { ModelLogits } from './model-logits.js';
import type { ModelTeacher, StartMessage, TableTeacher } from './scorer-protocol.js';
import { TableLogits } from './table-logits.js';

export interface LoadedTeacher {
  readonly source: ImmediateLogits;
  readonly canary: Canary;
}

/**
 * @param compiler for the teacher; its canary runs one operation after the other
 * @throws FidelisError WEIGHTS.INVALID, ARTIFACT.CORRUPT
 */
export function loadTeacher(
  {
    teacherId,
    teacher,
    classes,
  }: Pick<StartMessage, 'teacherId' | 'classes'> & { readonly teacher: ModelTeacher | TableTeacher },
  inputShape: InputShape,
  compiler: FunctionCompiler,
): LoadedTeacher {
  // Called twice: the copies have their own model, their own decoded weights and their own functions.
  const load = (functions: FunctionCompiler): ImmediateLogits =>
    teacher.kind === 'table'
      ? tableLogits(teacherId, teacher, classes)
      : modelLogits(teacherId, createModel(teacher.architecture, inputShape, classes), teacher, functions);
  return { source: load(compiler), canary: new Canary(load(EAGER), teacherId, classes) };
}

function modelLogits(
  teacherId: string,
  model: Model,
  { members }: ModelTeacher,
  functions: FunctionCompiler,
): ImmediateLogits {
  const weights = members.map((member) => {
    requireUnchanged(teacherId, member.digest, member.weights);
    return decodeWeights(model, member.weights);
  });
  return new ModelLogits(new Predictor(model, functions), weights, model.classes);
}

function tableLogits(teacherId: string, { members, tables }: TableTeacher, classes: number): ImmediateLogits {
  const bySplit = tables.map(({ split, digest, file }) => {
    requireUnchanged(teacherId, digest, file);
    return [split, npyFloats(file)] as const;
  });
  return new TableLogits(members, classes, new Map(bySplit));
}

/** @throws FidelisError ARTIFACT.CORRUPT */
function requireUnchanged(teacherId: string, digest: string, bytes: Uint8Array): void {
  if (sha256Hex(bytes) !== digest) throw changedWeights(teacherId, digest);
}

function changedWeights(teacherId: string, digest: string): FidelisError {
  return new FidelisError(
    'ARTIFACT.CORRUPT',
    `the weights of teacher ${teacherId} are not those of their digest ${digest.slice(0, 12)}… any more: restart teacher-svc`,
    { details: { teacherId, digest } },
  );
}
