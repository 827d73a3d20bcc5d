import { FidelisError, type AugmentationSpec } from '@fidelis/contracts';
import { isImageShape, type ImageShape, type InputShape } from './dataset.js';
import { randomBelow, randomKey } from './random.js';

/** Draws that each step of a policy may make, so that what one draws never depends on the steps before it. */
const DRAWS_PER_STEP = 16;

/** An unbiased integer from 0 to `bound` − 1; `index` is 0…DRAWS_PER_STEP−1. */
type Draw = (index: number, bound: number) => number;

/**
 * The augmented bytes of one sample in one epoch: a pure function of (seed, epoch, sample id) and the policy, whatever the
 * batch that the sample is in.
 *
 * @param bytes [height][width][channels]; not written
 * @returns `bytes` itself for an empty policy, else a new array
 */
export function augment(
  bytes: Uint8Array,
  shape: InputShape,
  policy: readonly AugmentationSpec[],
  { seed, epoch, id }: { readonly seed: number; readonly epoch: number; readonly id: number },
): Uint8Array {
  const key = randomKey(seed, 'augmentation');
  if (policy.length === 0) return bytes;
  if (!isImageShape(shape)) {
    throw new FidelisError('SPEC.INVALID', 'augmentation: texts have none; leave the field out');
  }
  return policy.reduce((current, step, position) => {
    const draw: Draw = (index, bound) =>
      randomBelow(key, [epoch, id], position * DRAWS_PER_STEP + index, bound);
    return applyStep(current, shape, step, draw);
  }, bytes);
}

function applyStep(bytes: Uint8Array, shape: ImageShape, step: AugmentationSpec, draw: Draw): Uint8Array {
  switch (step.kind) {
    case 'random-shift': {
      const choices = 2 * step.maxPixels + 1;
      const right = draw(0, choices) - step.maxPixels;
      const down = draw(1, choices) - step.maxPixels;
      return shift(bytes, shape, right, down);
    }
  }
}

/** Moves the image by whole pixels; what was outside is the byte 0 (−1 after scaling). */
export function shift(
  bytes: Uint8Array,
  { height, width, channels }: ImageShape,
  right: number,
  down: number,
): Uint8Array {
  const shifted = new Uint8Array(bytes.length);
  const firstColumn = Math.max(0, -right);
  const columns = width - Math.abs(right);
  if (columns <= 0) return shifted;
  for (let row = Math.max(0, down); row < Math.min(height, height + down); row++) {
    const from = ((row - down) * width + firstColumn) * channels;
    shifted.set(
      bytes.subarray(from, from + columns * channels),
      (row * width + firstColumn + right) * channels,
    );
  }
  return shifted;
}
