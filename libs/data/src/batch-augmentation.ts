import type { AugmentationSpec } from '@fidelis/contracts';
import { shuffleFront } from './permutation.js';
import { philox4x32 } from './philox.js';
import { randomBelow, randomKey, randomUnit, type RandomStreamId } from './random.js';

interface BatchIdentity {
  readonly seed: number;
  readonly epoch: number;
  readonly step: number;
}

/**
 * What is done to a batch after scaling: noise for each image by (seed, epoch, sample id), mixup for the batch by (seed, step). Every
 * operation is rounded to float32 at once, so that the numbers are the same wherever they are made.
 *
 * @param inputs [ids][height][width][channels] in [−1, 1]; changed in place
 */
export function batchAugmentation(
  inputs: Float32Array,
  ids: Uint32Array,
  policy: readonly AugmentationSpec[],
  identity: BatchIdentity,
): void {
  for (const step of policy) {
    if (step.kind === 'noise') addNoise(inputs, ids, step.probability, identity);
    if (step.kind === 'mixup') mix(inputs, ids.length, step.portion, identity);
  }
}

/** Counter of the draw that decides; the values have those of blocks from 1 on. */
const DECISION = 0;

function addNoise(
  inputs: Float32Array,
  ids: Uint32Array,
  probability: number,
  { seed, epoch }: BatchIdentity,
): void {
  const key = randomKey(seed, 'noise');
  const length = inputs.length / ids.length;
  ids.forEach((id, row) => {
    const stream: RandomStreamId = [epoch, id];
    if (randomUnit(key, stream, DECISION) >= probability) return;
    for (let at = 0; at < length; at += 4) {
      const words = philox4x32([1 + at / 4, 0, ...stream], key);
      const end = Math.min(4, length - at);
      // 24 bits: each value is a float32 as it stands. −1 ≤ value < 1.
      for (let i = 0; i < end; i++) inputs[row * length + at + i] = ((words[i] ?? 0) >>> 8) / 2 ** 23 - 1;
    }
  });
}

/** What mixup does to a batch: row i of the first `partners.length` becomes λ·x_i + (1 − λ)·x_partners[i]. */
export interface Mixing {
  readonly lambda: number;
  /** Rows of the same batch. */
  readonly partners: Uint32Array;
}

/**
 * x̃ = λ·x + (1 − λ)·x′ with one λ ~ U[0, 1) for the batch (paper, appendix A.1). The first ⌈portion · rows⌉ images are mixed with one
 * another, by a permutation in which an image may meet itself, as in the published code.
 */
export function mixingOf(
  rows: number,
  portion: number,
  { seed, step }: Pick<BatchIdentity, 'seed' | 'step'>,
): Mixing {
  const key = randomKey(seed, 'batch');
  const stream: RandomStreamId = [step >>> 0, Math.floor(step / 2 ** 32)];
  const mixed = Math.ceil(portion * rows);
  const lambda = Math.fround(randomUnit(key, stream, 0));
  const partners = Uint32Array.from({ length: mixed }, (_, row) => row);
  shuffleFront(partners, mixed, (position, bound) => randomBelow(key, stream, position, bound));
  return { lambda, partners };
}

function mix(inputs: Float32Array, rows: number, portion: number, identity: BatchIdentity): void {
  const { lambda, partners } = mixingOf(rows, portion, identity);
  const rest = Math.fround(1 - lambda);
  const length = inputs.length / rows;
  const before = inputs.slice(0, partners.length * length);
  partners.forEach((partner, row) => {
    for (let i = 0; i < length; i++) {
      const own = Math.fround(lambda * (before[row * length + i] ?? 0));
      const other = Math.fround(rest * (before[partner * length + i] ?? 0));
      inputs[row * length + i] = own + other;
    }
  });
}
