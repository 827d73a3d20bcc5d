import { describe, expect, it } from 'vitest';
import { createModel } from './create-model.js';
import { initialise, initialWeights } from './initialise.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';
import { decodeWeights, encodeWeights, namedParameters } from './weights.js';

const model = createModel({ name: 'mlp', hiddenUnits: [3] }, { height: 2, width: 2, channels: 1 }, 2);

describe('weights', () => {
  it('come back bit by bit', () => {
    const weights = initialWeights(model, 7);
    expect(decodeWeights(model, encodeWeights(model, weights, { seed: '7' }))).toEqual(weights);
  });

  it('hold the buffers, too', () => {
    const network = createModel({ name: 'preresnet20' }, { height: 8, width: 8, channels: 1 }, 2);
    const { parameters } = initialWeights(network, 7);
    const buffers = Float32Array.from({ length: network.bufferCount }, (_, i) => Math.sin(i));
    const bytes = encodeWeights(network, { parameters, buffers });
    expect(decodeWeights(network, bytes)).toEqual({ parameters, buffers });
    expect(decodeSafetensors(bytes).tensors.map(({ name }) => name)).toContain(
      'stage1.block1.norm1.variance',
    );
  });

  it.each([
    [
      'a missing tensor',
      (t: ReturnType<typeof namedParameters>) => t.slice(1),
      'tensor "dense1.weight" is missing',
    ],
    [
      'a tensor too many',
      (t: ReturnType<typeof namedParameters>) => [
        ...t,
        { name: 'other', shape: [1], values: new Float32Array(1) },
      ],
      'tensor "other" is not one of its tensors',
    ],
    [
      'another shape',
      (t: ReturnType<typeof namedParameters>) =>
        t.map((p) => (p.shape.length === 2 ? { ...p, shape: p.shape.toReversed() } : p)),
      'tensor "dense1.weight" is [3, 4], not [4, 3]',
    ],
  ])('with %s are refused', (_, change, problem) => {
    const tensors = change(namedParameters(model, initialise(model, 7)));
    expect(() => decodeWeights(model, encodeSafetensors({ tensors, metadata: {} }))).toThrow(
      expect.objectContaining({
        code: 'WEIGHTS.INVALID',
        message: expect.stringContaining(problem) as string,
      }) as Error,
    );
  });
});
