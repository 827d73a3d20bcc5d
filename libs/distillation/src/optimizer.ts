import type { Scalar, Tensor1D } from '@tensorflow/tfjs-core';
import type { OptimizerSpec } from '@fidelis/contracts';
import { adamScalars, adamStep, type AdamScalars } from './adam.js';
import { sgdStep } from './sgd.js';
import { tensorNamed, type NamedTensors } from './tensor-function.js';

/** Each [parameterCount]. */
export interface OptimizerState {
  readonly parameters: Tensor1D;
  /** `slotCount` of them; zeros before the first step. */
  readonly slots: readonly Tensor1D[];
}

/** Values that an optimiser remembers of each parameter: SGD its velocity, Adam the means of gradient and square. */
export function slotCount({ kind }: Pick<OptimizerSpec, 'kind'>): number {
  return kind === 'sgd' ? 1 : 2;
}

/** What changes from step to step: inputs of the step's function, so that no rate is frozen into a graph. */
export function optimizerScalars(
  optimizer: OptimizerSpec,
  rate: number,
  step: number,
): Readonly<Record<string, number>> {
  return optimizer.kind === 'sgd' ? { rate } : { ...adamScalars(optimizer, rate, step) };
}

/**
 * One step of the optimiser. Pure: the given tensors stay, the new ones are the caller's.
 *
 * @param scalars those of `optimizerScalars`
 */
export function optimizerStep(
  optimizer: OptimizerSpec,
  { parameters, slots }: OptimizerState,
  gradient: Tensor1D,
  scalars: NamedTensors,
): OptimizerState {
  if (optimizer.kind === 'sgd') {
    const rate = tensorNamed<Scalar>(scalars, 'rate');
    const next = sgdStep({ parameters, velocity: slotAt(slots, 0) }, gradient, rate, optimizer);
    return { parameters: next.parameters, slots: [next.velocity] };
  }
  const named: AdamScalars<Scalar> = {
    stepSize: tensorNamed(scalars, 'stepSize'),
    squareCorrection: tensorNamed(scalars, 'squareCorrection'),
    shrinkage: tensorNamed(scalars, 'shrinkage'),
  };
  const state = { parameters, mean: slotAt(slots, 0), square: slotAt(slots, 1) };
  const next = adamStep(state, gradient, named, optimizer);
  return { parameters: next.parameters, slots: [next.mean, next.square] };
}

function slotAt(slots: readonly Tensor1D[], index: number): Tensor1D {
  const slot = slots[index];
  if (slot === undefined) throw new RangeError(`the optimiser's state has no slot ${index}`);
  return slot;
}
