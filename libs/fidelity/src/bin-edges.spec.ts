import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binEdges, binIndex } from './bin-edges.js';

const bins = fc.integer({ min: 1, max: 400 });
const confidence = fc.float({ min: 0, minExcluded: true, max: 1, noNaN: true });

describe('binEdges', () => {
  it('rises from 0 to 1 in float32, within one rounding of i / bins', () => {
    fc.assert(
      fc.property(bins, (count) => {
        const edges = binEdges(count);
        expect(edges).toHaveLength(count + 1);
        expect(edges[0]).toBe(0);
        expect(edges[count]).toBe(1);
        edges.forEach((edge, index) => {
          expect(Math.abs(edge - index / count)).toBeLessThan(2 ** -23);
          if (index > 0) expect(edge).toBeGreaterThan(edges[index - 1] ?? Infinity);
        });
      }),
    );
  });

  it('for 10 bins is the nearest float32 of every tenth', () => {
    expect(binEdges(10)).toEqual(Float32Array.from({ length: 11 }, (_, index) => index / 10));
  });

  it('is rounded once beyond the middle, as a fused multiplication and subtraction', () => {
    expect(binEdges(15)[12]).toBe(Math.fround(0.8));
    expect(binEdges(14)[7]).toBe(0.5 - 2 ** -25);
  });
});

describe('binIndex', () => {
  it('is decided by the float32 of a confidence', () => {
    // 0.6 in float64 is below 0.6 in float32, which is the edge.
    expect(binIndex(binEdges(10), 0.6, 'torchmetrics')).toBe(6);
    expect(binIndex(binEdges(10), 0.6, 'gnosis')).toBe(5);
    // 0.9 in float64 is above the edge.
    expect(binIndex(binEdges(10), 0.9, 'gnosis')).toBe(8);
  });

  it('of torchmetrics is the bin with lo ≤ confidence < hi', () => {
    fc.assert(
      fc.property(bins, confidence, (count, value) => {
        const edges = binEdges(count);
        const index = binIndex(edges, value, 'torchmetrics');
        expect(edges[index]).toBeLessThanOrEqual(value);
        expect(edges[index + 1] ?? Infinity).toBeGreaterThan(value);
      }),
      { numRuns: 500 },
    );
  });

  it('of gnosis is the bin with lo < confidence ≤ hi', () => {
    fc.assert(
      fc.property(bins, confidence, (count, value) => {
        const edges = binEdges(count);
        const index = binIndex(edges, value, 'gnosis');
        expect(edges[index]).toBeLessThan(value);
        expect(edges[index + 1]).toBeGreaterThanOrEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('of a confidence on an edge is the upper bin for torchmetrics, the lower for gnosis', () => {
    for (const count of [1, 2, 3, 10, 15, 20, 97, 100]) {
      const edges = binEdges(count);
      for (let index = 1; index <= count; index++) {
        const edge = edges[index] ?? NaN;
        expect(binIndex(edges, edge, 'torchmetrics')).toBe(index);
        expect(binIndex(edges, edge, 'gnosis')).toBe(index - 1);
      }
    }
  });
});
