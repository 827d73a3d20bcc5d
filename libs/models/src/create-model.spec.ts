import type { ArchitectureSpec } from '@fidelis/contracts';
import { describe, expect, it } from 'vitest';
import { createModel } from './create-model.js';
import { initialise } from './initialise.js';
import { namedParameters } from './weights.js';

const mnist = { height: 28, width: 28, channels: 1 };

describe('createModel', () => {
  it('makes the LeNet-5 of the paper: 61,706 parameters', () => {
    expect(createModel({ name: 'lenet5' }, mnist, 10).parameterCount).toBe(61_706);
  });

  it.each([
    ['preresnet20', 278_132],
    ['preresnet56', 613_556],
    ['preresnet110', 1_169_972],
  ] as const)('makes the %s of the paper: %d parameters for 100 classes', (name, count) => {
    const cifar = { height: 32, width: 32, channels: 3 };
    expect(createModel({ name }, cifar, 100).parameterCount).toBe(count);
    const layer = createModel({ name, norm: 'layer' }, cifar, 100);
    expect(layer.parameterCount).toBe(count);
    expect(layer.bufferCount).toBe(0);
  });

  it('makes the VGG-16 without batch normalisation of the paper: 15,291,300 parameters for 100 classes', () => {
    const cifar = { height: 32, width: 32, channels: 3 };
    expect(createModel({ name: 'vgg16' }, cifar, 100).parameterCount).toBe(15_291_300);
  });

  it('makes the ResNet-50 of torchvision: 25,557,032 parameters and 53,120 running statistics', () => {
    const model = createModel({ name: 'resnet50' }, { height: 224, width: 224, channels: 3 }, 1_000);
    expect(model.parameterCount).toBe(25_557_032);
    expect(model.bufferCount).toBe(53_120);
  });

  it('makes the biLSTM of the paper: 231,002 parameters without the embedding', () => {
    const model = createModel({ name: 'bilstm' }, { length: 60, vocabulary: 500 }, 2);
    expect(model.parameterCount).toBe(231_002 + 500 * 128);
  });

  it.each([
    ['bilstm', mnist],
    ['vgg16', mnist],
    ['resnet50', { height: 31, width: 64, channels: 3 }],
    ['preresnet20', { height: 7, width: 8, channels: 3 }],
    ['preresnet20', { length: 10, vocabulary: 10 }],
    ['lenet5', { length: 10, vocabulary: 10 }],
  ] as const)('refuses inputs that %s cannot take', (name, shape) => {
    expect(() => createModel({ name }, shape, 10)).toThrow(
      expect.objectContaining({ code: 'MODEL.MISMATCH' }) as Error,
    );
  });

  it('refuses a field that is not for this architecture', () => {
    expect(() => createModel({ name: 'lenet5', norm: 'layer' }, mnist, 10)).toThrow(
      'lenet5 has no norm to choose: leave the field out; it is for preresnet20, preresnet56, preresnet110',
    );
    expect(() => createModel({ name: 'preresnet20', hiddenUnits: [3] }, mnist, 10)).toThrow('it is for mlp');
  });

  it('makes an mlp of the widths that are asked for', () => {
    const model = createModel({ name: 'mlp', hiddenUnits: [30, 20] }, mnist, 10);
    expect(model.parameters.map(({ shape }) => shape)).toEqual([
      [784, 30],
      [30],
      [30, 20],
      [20],
      [20, 10],
      [10],
    ]);
    expect(model.parameterCount).toBe(784 * 30 + 30 + 30 * 20 + 20 + 20 * 10 + 10);
  });

  it('names the known architectures where it does not know one', () => {
    expect(() => createModel({ name: 'lenet' } as unknown as ArchitectureSpec, mnist, 10)).toThrow(
      expect.objectContaining({
        code: 'MODEL.UNKNOWN',
        message: expect.stringContaining('did you mean "lenet5"?') as string,
      }) as Error,
    );
  });

  it('refuses images that LeNet-5 cannot take', () => {
    expect(() => createModel({ name: 'lenet5' }, { height: 20, width: 28, channels: 1 }, 10)).toThrow(
      expect.objectContaining({ code: 'MODEL.MISMATCH' }) as Error,
    );
  });
});

describe('initialise', () => {
  const model = createModel({ name: 'lenet5' }, mnist, 10);

  it('depends on the seed alone', () => {
    expect(initialise(model, 5)).toEqual(initialise(model, 5));
    expect(initialise(model, 6)).not.toEqual(initialise(model, 5));
  });

  it('is uniform within ±1/√fan_in, as PyTorch starts its layers', () => {
    for (const { name, values } of namedParameters(model, initialise(model, 1))) {
      const layer = name.split('.')[0] ?? '';
      const fanIn = { conv1: 25, conv2: 150, dense1: 400, dense2: 120, dense3: 84 }[layer] ?? Number.NaN;
      const bound = 1 / Math.sqrt(fanIn);
      expect(values.every((value) => Math.abs(value) <= bound)).toBe(true);
      if (values.length < 500) continue;
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      expect(Math.abs(mean)).toBeLessThan(0.1 * bound);
      expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    }
  });

  it('keeps its values for ever', () => {
    expect([...initialise(model, 0).subarray(0, 3)]).toMatchInlineSnapshot(`
      [
        0.07556574791669846,
        0.19949433207511902,
        -0.18854759633541107,
      ]
    `);
  });
});
