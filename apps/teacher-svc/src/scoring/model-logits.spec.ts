import { combineMembers, type ModelWeights } from '@fidelis/models';
import { describe, expect, it } from 'vitest';
import { ModelLogits } from './model-logits.js';
import type { SampleRows } from './logit-source.js';

const CLASSES = 2;

/** "Logits" that tell whose they are, and of which input. */
const predictor = {
  predict: ({ parameters: [own = 0] }: ModelWeights, inputs: Float32Array): Float32Array =>
    Float32Array.from({ length: inputs.length * CLASSES }, (_, i) => {
      const input = inputs[Math.floor(i / CLASSES)] ?? 0;
      return own * 100 + input * 10 + (i % CLASSES);
    }),
};

function member(own: number): ModelWeights {
  return { parameters: Float32Array.of(own), buffers: new Float32Array() };
}

function samples(...inputs: number[]): SampleRows {
  return {
    split: 'train',
    ids: Uint32Array.from(inputs.keys()),
    inputs: Float32Array.from(inputs),
    rows: inputs.length,
  };
}

describe('the predictions of an ensemble', () => {
  it('keep the members apart, row by row', () => {
    const predictions = new ModelLogits(predictor, [member(1), member(2), member(3)], CLASSES);
    expect([...predictions.logits(samples(4, 5))]).toEqual([
      ...[140, 141, 240, 241, 340, 341],
      ...[150, 151, 250, 251, 350, 351],
    ]);
  });

  it('are what the combination rule takes', () => {
    const predictions = new ModelLogits(predictor, [member(1), member(2)], CLASSES);
    const combined = combineMembers(predictions.logits(samples(0)), 1, 2, CLASSES);
    // Both members have the same log-odds, so their mixture has them too.
    expect((combined[1] ?? 0) - (combined[0] ?? 0)).toBeCloseTo(1, 5);
  });

  it('of a single model are its logits, untouched', () => {
    const predictions = new ModelLogits(predictor, [member(7)], CLASSES);
    expect([...predictions.logits(samples(0, 1))]).toEqual([700, 701, 710, 711]);
  });
});
