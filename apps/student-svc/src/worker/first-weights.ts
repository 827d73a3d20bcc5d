import { canonicalJson, FidelisError, type StudentStart, type TrainJob } from '@fidelis/contracts';
import type { BatchSource } from '@fidelis/data';
import {
  interpolateWeights,
  refreshStatistics,
  rescaledLearningRate,
  type FunctionCompiler,
} from '@fidelis/distillation';
import { decodeWeights, initialWeights, type Model, type ModelWeights } from '@fidelis/models';

export interface StartMaterial {
  /** safetensors; for a start that needs them. */
  readonly teacherWeights: Uint8Array | null;
  /** What the student will be trained on. */
  readonly batches: BatchSource;
  readonly compiler: FunctionCompiler;
}

/**
 * The weights before the first step: random, unless a student starts from its teacher (paper §6.2, Table 1).
 *
 * @throws FidelisError MODEL.MISMATCH if student and teacher have different architectures; WEIGHTS.INVALID
 */
export async function firstWeights(
  job: TrainJob,
  model: Model,
  { teacherWeights, batches, compiler }: StartMaterial,
): Promise<ModelWeights> {
  const start = startOf(job);
  if (start === undefined) return initialWeights(model, job.seed);
  if (canonicalJson(start.architecture) !== canonicalJson(job.architecture)) {
    throw new FidelisError(
      'MODEL.MISMATCH',
      `a student ${canonicalJson(job.architecture)} cannot start from a teacher ${canonicalJson(start.architecture)}`,
    );
  }
  if (start.kind === 'teacher-initial') return initialWeights(model, start.seed);
  if (teacherWeights === null) {
    throw new FidelisError('INTERNAL', "this student starts from its teacher's weights, which were not sent");
  }
  const between = interpolateWeights(
    decodeWeights(model, teacherWeights),
    initialWeights(model, job.seed),
    start.lambda,
  );
  return start.refreshStatistics ? refreshStatistics(model, between, batches, compiler) : between;
}

/** The optimiser's rate, or what a student that starts near its teacher makes of it if its spec says so. */
export function baseLearningRate(job: TrainJob): number {
  const { learningRate } = job.optimizer;
  const start = startOf(job);
  return start?.kind === 'interpolate' && start.rescaleLearningRate
    ? rescaledLearningRate(learningRate, start.lambda)
    : learningRate;
}

function startOf(job: TrainJob): StudentStart | undefined {
  return job.kind === 'student' ? job.start : undefined;
}
