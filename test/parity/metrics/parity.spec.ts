import {
  binEdges,
  EvaluationEngine,
  ReliabilityAccumulator,
  runFullPass,
  type BinConvention,
  type EngineResult,
  type FullPassResult,
} from '@fidelis/fidelity';
import { describe, expect, it } from 'vitest';
import { readEdges, readVectors, type Expectation } from './vectors.js';

/** Relative, and absolute for figures near 0: float32 peers round confidences near 1 by 6e-8 each, and their sums besides. */
const TOLERANCE = {
  f64: { relative: 1e-9, absolute: 1e-12 },
  f32: { relative: 1e-6, absolute: 2e-7 },
} as const;

function figureAt(path: string, result: EngineResult, full: FullPassResult): unknown {
  const [who = '', ...keys] = path.split('/');
  const [first, second, third] = keys;
  if (first === 'full') {
    const part: unknown = who === 'fidelity' ? full : full[who as 'teacher' | 'student'];
    return (part as Record<string, unknown>)[second ?? ''];
  }
  const part = result[who as 'fidelity' | 'teacher' | 'student'] as unknown as Record<string, unknown>;
  if (first === 'eceVariants') {
    const variants = result[who as 'teacher' | 'student']?.eceVariants ?? [];
    return variants.find(({ convention, bins }) => convention === second && bins === Number(third))?.ece;
  }
  const figure = part[first ?? ''];
  return second === undefined ? figure : (figure as Record<string, unknown>)[second];
}

function misses({ path, peer, precision, value }: Expectation, actual: unknown): string[] {
  if (value === null || value === 'Infinity') {
    const wanted = value === null ? null : Infinity;
    return actual === wanted ? [] : [`${path}: ${String(actual)}, ${peer} has no finite value`];
  }
  const { relative, absolute } = TOLERANCE[precision];
  const allowed = Math.max(absolute, relative * Math.abs(value));
  const near = typeof actual === 'number' && Math.abs(actual - value) <= allowed;
  return near ? [] : [`${path}: ${String(actual)}, ${peer} has ${value}`];
}

describe('the engine against its peers', () => {
  for (const { name, kind, classes, batch, expected } of readVectors()) {
    it(`has their figures for ${name}`, async () => {
      const engine = new EvaluationEngine({ classes, kind, labels: true });
      engine.add(batch);
      const result = engine.result();
      const full = await runFullPass({ classes, kind, labels: true, rankCorrelation: true }, () => [batch]);
      expect(expected.length).toBeGreaterThan(30);
      expect(
        expected.flatMap((expectation) => misses(expectation, figureAt(expectation.path, result, full))),
      ).toEqual([]);
    });
  }
});

describe('the edges of the bins', () => {
  it("are PyTorch's to the last bit", () => {
    for (const [bins, edges] of readEdges()) expect(binEdges(bins), `${bins} bins`).toEqual(edges);
  });
});

describe('where the peers differ: a confidence of exactly 1', () => {
  // One row at 0.97 that is right and one at 1 that is wrong. TorchMetrics 1.9.0 gives 0.515, netcal 1.4.0 gives 0.485.
  const batch = {
    model: Float64Array.of(0.97, 0.03, 0, 1, 0, 0),
    labels: Int32Array.of(0, 1),
    rows: 2,
  };
  const ece = (convention: BinConvention): number => {
    const accumulator = new ReliabilityAccumulator({ classes: 3, kind: 'probs', bins: 15, convention });
    accumulator.add(batch);
    return accumulator.result().ece;
  };

  it('has a bin of its own for TorchMetrics', () => {
    expect(ece('torchmetrics')).toBeCloseTo((0.03 + 1) / 2, 12);
  });

  it('is in the last bin for the published code, and for netcal', () => {
    expect(ece('gnosis')).toBeCloseTo((1.97 - 1) / 2, 12);
  });
});
