import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from './nearest-name.js';

describe('editDistance', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['mnist', 'mnist', 0],
    ['minst', 'mnist', 1],
  ])('%s → %s is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('nearestName', () => {
  it('finds what was mistyped, whatever the case', () => {
    expect(nearestName('batch_size', ['epochs', 'batchSize'])).toBe('batchSize');
    expect(nearestName('LeNet-5', ['lenet5', 'mlp'])).toBe('lenet5');
  });

  it('finds what was cut short, unless it could be two', () => {
    expect(nearestName('batch', ['epochs', 'batchSize'])).toBe('batchSize');
    expect(nearestName('batch', ['batchNorm', 'batchSize'])).toBe(undefined);
  });

  it('suggests nothing where nothing is near', () => {
    expect(nearestName('resnet', ['lenet5', 'mlp', 'vgg'])).toBe(undefined);
    expect(nearestName('x', [])).toBe(undefined);
  });
});
