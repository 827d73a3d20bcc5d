import type { AugmentationSpec } from '@fidelis/contracts';
import { changeColours } from './colour-jitter.js';
import type { ImageShape } from './dataset.js';
import { flipHorizontally, flipVertically, rotate, shift } from './image-geometry.js';
import { randomBelow, randomKey, randomUnit } from './random.js';

/** Draws that each step of a policy may make, so that what one draws never depends on the steps before it. */
const DRAWS_PER_STEP = 16;

/** Draws of one step for one sample; `index` is 0…DRAWS_PER_STEP−1. */
export interface Draws {
  /** An unbiased integer from 0 to `bound` − 1. */
  below(index: number, bound: number): number;
  /** A number in [low, high). */
  between(index: number, low: number, high: number): number;
}

/**
 * The augmented bytes of one sample in one epoch: a pure function of (seed, epoch, sample id) and the policy, whatever the
 * batch that the sample is in. What a policy does after scaling (noise, mixup) is not done here.
 *
 * @param bytes [height][width][channels]; not written
 * @returns `bytes` itself where nothing is done, else a new array
 */
export function augment(
  bytes: Uint8Array,
  shape: ImageShape,
  policy: readonly AugmentationSpec[],
  { seed, epoch, id }: { readonly seed: number; readonly epoch: number; readonly id: number },
): Uint8Array {
  const key = randomKey(seed, 'augmentation');
  return policy.reduce((current, step, position) => {
    const counter = (index: number): number => position * DRAWS_PER_STEP + index;
    return applyStep(current, shape, step, {
      below: (index, bound) => randomBelow(key, [epoch, id], counter(index), bound),
      between: (index, low, high) => low + (high - low) * randomUnit(key, [epoch, id], counter(index)),
    });
  }, bytes);
}

function applyStep(bytes: Uint8Array, shape: ImageShape, step: AugmentationSpec, draws: Draws): Uint8Array {
  switch (step.kind) {
    case 'rotation':
      return rotate(bytes, shape, draws.between(0, -step.degrees, step.degrees));
    case 'vertical-flip':
      return draws.between(0, 0, 1) < step.probability ? flipVertically(bytes, shape) : bytes;
    case 'color-jitter':
      return changeColours(bytes, shape, step, draws);
    case 'crop':
      return shiftAtMost(bytes, shape, step.padding, draws);
    case 'random-shift':
      return shiftAtMost(bytes, shape, step.maxPixels, draws);
    case 'horizontal-flip':
      return draws.between(0, 0, 1) < step.probability ? flipHorizontally(bytes, shape) : bytes;
    case 'noise':
    case 'mixup':
      return bytes;
  }
}

/** A window of the image's size, anywhere within a border of `pixels` zeros, is a shift by at most as many. */
function shiftAtMost(bytes: Uint8Array, shape: ImageShape, pixels: number, draws: Draws): Uint8Array {
  const choices = 2 * pixels + 1;
  return shift(bytes, shape, draws.below(0, choices) - pixels, draws.below(1, choices) - pixels);
}
