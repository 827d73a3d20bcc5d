import { createModel, encodeWeights, initialWeights } from '@fidelis/models';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.js';
import { initialState } from './training-state.js';

const model = createModel({ name: 'mlp', hiddenUnits: [3] }, { height: 2, width: 2, channels: 1 }, 2);

describe('a checkpoint', () => {
  it('comes back bit by bit, with what was said about it', () => {
    const state = {
      ...initialState(model, 2),
      step: 41,
      loss: 0.1 + 0.2,
      slots: [initialState(model, 3).parameters],
    };
    expect(decodeCheckpoint(model, encodeCheckpoint(model, state, { runId: 'r-1' }))).toEqual({
      state,
      meta: { runId: 'r-1' },
    });
  });

  it('before the first step has no loss', () => {
    const state = initialState(model, 2);
    expect(decodeCheckpoint(model, encodeCheckpoint(model, state)).state).toEqual(state);
  });

  it('is not a file of mere weights', () => {
    const weights = encodeWeights(model, initialWeights(model, 2));
    expect(() => decodeCheckpoint(model, weights)).toThrow(
      expect.objectContaining({ code: 'WEIGHTS.INVALID' }) as Error,
    );
  });

  it('of another model is refused', () => {
    const other = createModel({ name: 'mlp', hiddenUnits: [4] }, model.inputShape, 2);
    expect(() => decodeCheckpoint(other, encodeCheckpoint(model, initialState(model, 2)))).toThrow(
      expect.objectContaining({ code: 'WEIGHTS.INVALID' }) as Error,
    );
  });
});
