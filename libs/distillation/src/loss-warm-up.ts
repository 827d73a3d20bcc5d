import type { TrainingLength } from './learning-rate.js';
import type { TrainingLoss } from './losses.js';

/** Whether the terms against the teacher get a factor of their own from step to step. */
export function warmsUp(loss: TrainingLoss): boolean {
  return loss.kind === 'dkd' && loss.warmUpEpochs !== undefined;
}

/**
 * What of a loss changes from step to step: inputs of the step's function, so that no factor is frozen into a graph. A function of the
 * step alone: a training that goes on from a checkpoint has the factors that it would have had.
 *
 * With time t in steps, or in whole epochs with `every: epoch`, and W the length of the warm-up in the same unit, the factor is
 * min((t + 1) / W, 1): in epochs that of the published DKD, which counts them from 1.
 *
 * @param step 0…, over the whole training
 */
export function lossScalars(
  loss: TrainingLoss,
  step: number,
  { stepsPerEpoch }: Pick<TrainingLength, 'stepsPerEpoch'>,
): Readonly<Record<string, number>> {
  if (loss.kind !== 'dkd' || loss.warmUpEpochs === undefined) return {};
  const unit = loss.every === 'epoch' ? stepsPerEpoch : 1;
  const warmUp = (loss.warmUpEpochs * stepsPerEpoch) / unit;
  return { teacherWeight: Math.min((Math.floor(step / unit) + 1) / warmUp, 1) };
}
