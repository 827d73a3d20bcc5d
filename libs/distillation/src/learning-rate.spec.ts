import { describe, expect, it } from 'vitest';
import { learningRate } from './learning-rate.js';

describe('learningRate', () => {
  const cosine = { kind: 'cosine', floor: 0.001 } as const;

  it('follows half a cosine from the base to the floor, step by step', () => {
    for (let step = 0; step <= 1_000; step++) {
      const expected = 0.001 + ((0.05 - 0.001) * (1 + Math.cos((Math.PI * step) / 1_000))) / 2;
      expect(learningRate(cosine, 0.05, step, { steps: 1_000, stepsPerEpoch: 10 })).toBeCloseTo(expected, 15);
    }
  });

  it('begins exactly at the base', () => {
    expect(learningRate({ kind: 'cosine', floor: 0 }, 0.05, 0, { steps: 10, stepsPerEpoch: 10 })).toBe(0.05);
  });

  it('stays where it is if it is constant', () => {
    expect(learningRate({ kind: 'constant', floor: 0 }, 0.05, 9, { steps: 10, stepsPerEpoch: 10 })).toBe(
      0.05,
    );
  });
});
