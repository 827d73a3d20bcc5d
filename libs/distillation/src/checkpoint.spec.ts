import {
  createModel,
  encodeSafetensors,
  encodeWeights,
  initialWeights,
  namedParameters,
} from '@fidelis/models';
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

  it('holds buffers and the two slots of Adam', () => {
    const resnet = createModel({ name: 'preresnet20' }, { height: 8, width: 8, channels: 3 }, 2);
    const start = initialState(resnet, 2, { kind: 'adam' });
    const state = {
      ...start,
      step: 7,
      buffers: start.buffers.map((value, i) => value + i),
      slots: start.slots.map((slot, index) => slot.map((_, i) => i / 8 - index)),
    };
    const decoded = decodeCheckpoint(resnet, encodeCheckpoint(resnet, state)).state;
    expect(decoded.step).toBe(7);
    expect(Buffer.from(decoded.buffers.buffer).equals(Buffer.from(state.buffers.buffer))).toBe(true);
    expect(decoded.slots.map((slot) => slot.at(-1))).toEqual(state.slots.map((slot) => slot.at(-1)));
  });

  it('of the first format is read', () => {
    const { parameters } = initialState(model, 2);
    const velocity = initialState(model, 3).parameters;
    const bytes = encodeSafetensors({
      tensors: [
        ...namedParameters(model, parameters),
        ...namedParameters(model, velocity).map((tensor) => ({ ...tensor, name: `velocity.${tensor.name}` })),
      ],
      metadata: { format: 'fidelis-checkpoint-1', step: '12', loss: '0.5', runId: 'r-1' },
    });
    expect(decodeCheckpoint(model, bytes)).toEqual({
      state: { step: 12, parameters, buffers: new Float32Array(), slots: [velocity], loss: 0.5 },
      meta: { runId: 'r-1' },
    });
  });

  it('of another recipe is refused', () => {
    const bytes = encodeCheckpoint(model, initialState(model, 2), {}, { recipe: 'a' });
    expect(decodeCheckpoint(model, bytes, { recipe: 'a' }).meta).toEqual({});
    expect(() => decodeCheckpoint(model, bytes, { recipe: 'b' })).toThrow('of another spec');
  });
});
