import { FidelisError, type SubsetSpec } from '@fidelis/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectSubset } from './subset.js';

const labels = Uint8Array.from({ length: 100 }, (_, id) => (id < 10 ? 2 : id % 2));

function choose(spec: Partial<SubsetSpec>): Uint32Array {
  return selectSubset(labels, 3, { size: 9, stratified: true, seed: 0, ...spec });
}

function refusal(spec: Partial<SubsetSpec>): FidelisError {
  try {
    choose(spec);
  } catch (error) {
    if (FidelisError.is(error)) return error;
  }
  throw new Error('the subset was accepted');
}

describe('selectSubset', () => {
  it('takes equally many of every class, ascending and without repetition', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 10 }), (seed, perClass) => {
        const ids = choose({ size: 3 * perClass, seed });
        expect([...ids]).toEqual([...new Set(ids)].sort((a, b) => a - b));
        for (const label of [0, 1, 2]) {
          expect(ids.filter((id) => labels[id] === label)).toHaveLength(perClass);
        }
      }),
    );
  });

  it('without strata takes any samples, ascending and without repetition', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 100 }), (seed, size) => {
        const ids = choose({ size, seed, stratified: false });
        expect(ids).toHaveLength(size);
        expect([...ids]).toEqual([...new Set(ids)].sort((a, b) => a - b));
        expect(ids.every((id) => id < 100)).toBe(true);
      }),
    );
  });

  it('depends on the seed alone', () => {
    expect(choose({ seed: 1 })).toEqual(choose({ seed: 1 }));
    expect(choose({ seed: 1 })).not.toEqual(choose({ seed: 2 }));
  });

  it('contains the smaller choices of the same seed', () => {
    for (const stratified of [true, false]) {
      const larger = new Set(choose({ size: 18, stratified }));
      expect([...choose({ size: 6, stratified })].every((id) => larger.has(id))).toBe(true);
    }
  });

  it('refuses more samples than the split has', () => {
    const error = refusal({ size: 101, stratified: false });
    expect(error.code).toBe('SPEC.INVALID');
    expect(error.message).toContain('101 samples do not fit the split: it has 100');
  });

  it('refuses a size that does not divide, and says which sizes would', () => {
    expect(refusal({ size: 10 }).message).toContain('use 9, or 12, or `stratified: false`');
    expect(refusal({ size: 2 }).message).toContain('use 3, or `stratified: false`');
  });

  it('refuses more of a class than there are, and names the class', () => {
    const error = refusal({ size: 33 });
    expect(error.code).toBe('SPEC.INVALID');
    expect(error.message).toContain('class 2 has 10: use at most 30');
  });

  it('refuses equal numbers of classes one of which has no samples', () => {
    const choose = (): unknown => selectSubset(new Uint8Array(10), 2, { size: 2, stratified: true, seed: 0 });
    expect(choose).toThrow('class 1 has none: use `stratified: false`');
  });
});

describe('the parts of a split', () => {
  const labels = new Uint8Array(101);
  const part = (name: 'd0' | 'd1' | 'd0+d1', seed = 0, ratio = 0.5): number[] => [
    ...selectSubset(labels, 1, { part: name, ratio, seed }),
  ];

  it('have nothing in common, and everything together', () => {
    for (const ratio of [0.5, 0.2]) {
      const [first, second] = [part('d0', 3, ratio), part('d1', 3, ratio)];
      expect(first).toHaveLength(Math.floor(101 * ratio));
      expect([...first, ...second].sort((a, b) => a - b)).toEqual(part('d0+d1', 3, ratio));
    }
    expect(part('d0+d1')).toEqual(Array.from({ length: 101 }, (_, id) => id));
  });

  it('are ascending, random, and other ones for another seed', () => {
    expect(part('d1')).toEqual(part('d1').sort((a, b) => a - b));
    expect(part('d0')).toEqual(part('d0'));
    expect(part('d0')).not.toEqual(part('d0', 1));
    expect(part('d0')).not.toEqual(Array.from({ length: 50 }, (_, id) => id));
  });

  it('cannot be empty', () => {
    expect(() => part('d0', 0, 0.001)).toThrow('a ratio of 0.001 leaves a part of 101 samples empty');
  });
});
