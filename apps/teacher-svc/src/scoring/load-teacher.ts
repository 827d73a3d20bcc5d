import { FidelisError, sha256Hex } from '@fidelis/contracts';
import type { InputShape } from '@fidelis/data';
import { EAGER, Predictor, type FunctionCompiler } from '@fidelis/distillation';
import { createModel, decodeWeights } from '@fidelis/models';
import { Canary } from './canary.js';
import type { LogitSource } from './logit-source.js';
import { ModelLogits } from './model-logits.js';
import type { StartMessage } from './scorer-protocol.js';

export interface LoadedTeacher {
  readonly source: LogitSource;
  readonly canary: Canary;
}

/**
 * @param compiler for the teacher; its canary runs one operation after the other
 * @throws FidelisError WEIGHTS.INVALID, ARTIFACT.CORRUPT
 */
export function loadTeacher(
  { teacherId, teacher, classes }: Pick<StartMessage, 'teacherId' | 'teacher' | 'classes'>,
  inputShape: InputShape,
  compiler: FunctionCompiler,
): LoadedTeacher {
  // Called twice: the copies have their own model, their own decoded weights and their own functions.
  const load = (functions: FunctionCompiler): LogitSource => {
    const model = createModel(teacher.architecture, inputShape, classes);
    const weights = teacher.members.map((member) => {
      if (sha256Hex(member.weights) !== member.digest) throw changedWeights(teacherId, member.digest);
      return decodeWeights(model, member.weights);
    });
    return new ModelLogits(new Predictor(model, functions), weights, classes);
  };
  return { source: load(compiler), canary: new Canary(load(EAGER), teacherId, classes) };
}

function changedWeights(teacherId: string, digest: string): FidelisError {
  return new FidelisError(
    'ARTIFACT.CORRUPT',
    `the weights of teacher ${teacherId} are not those of their digest ${digest.slice(0, 12)}… any more: restart teacher-svc`,
    { details: { teacherId, digest } },
  );
}
