import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PairBatch } from './batch.js';
import { binomialMeanDeviation, binomialProbability, errorFunction } from './distributions.js';
import { equalMassTotals } from './equal-mass.js';
import { FullPass, runFullPass, type FullPassResult } from './full-pass.js';
import { PerSample } from './per-sample.js';
import { rankCorrelation } from './rank-correlation.js';

const SETTINGS = { classes: 2, labels: true };

function batchOf(student: readonly (readonly number[])[], labels: readonly number[]): PairBatch {
  const values = Float64Array.from(student.flat());
  return { teacher: values, student: values, labels: Int32Array.from(labels), rows: labels.length };
}

const run = (batch: PairBatch): Promise<FullPassResult> => runFullPass(SETTINGS, () => [batch]);

describe('FullPass', () => {
  it('finds the temperature in closed form of one confidence', async () => {
    // Two classes, logits ±2, three of four right: σ(4 / T) = 3/4, so T = 4 / ln 3.
    const batch = batchOf(
      [
        [2, -2],
        [2, -2],
        [-2, 2],
        [-2, 2],
      ],
      [0, 0, 1, 0],
    );
    const { student } = await run(batch);
    expect(student?.temperature).toBeCloseTo(4 / Math.log(3), 9);
    expect(student?.nllAfter).toBeCloseTo(-(3 * Math.log(0.75) + Math.log(0.25)) / 4, 12);
    expect(student?.eceAfter).toBeCloseTo(0, 9);
  });

  it('finds a temperature near the end of its range: nearly all right, all of them unsure', async () => {
    // Fifty right by 0.2, one wrong by 0.01: 10 / (1 + exp(0.2 / T)) = 0.01 / (1 + exp(−0.01 / T)) has one root, found by halving.
    const rows = Array.from({ length: 51 }, (_, row) => [row === 0 ? 0.01 : 0.2, 0]);
    let low = 0.01;
    let high = 1;
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      if (10 / (1 + Math.exp(0.2 / middle)) > 0.01 / (1 + Math.exp(-0.01 / middle))) high = middle;
      else low = middle;
    }
    const { student } = await run(
      batchOf(
        rows,
        rows.map((_, row) => (row === 0 ? 1 : 0)),
      ),
    );
    expect(low).toBeCloseTo(0.0269, 4);
    expect(student?.temperature).toBeCloseTo(low, 9);
  });

  it('stops at 1/100 where all is right, at 100 where all is wrong, and has none where a label is impossible', async () => {
    const rows = [
      [2, -2],
      [1, -1],
    ];
    expect((await run(batchOf(rows, [0, 0]))).student?.temperature).toBeCloseTo(0.01, 12);
    expect((await run(batchOf(rows, [1, 1]))).student?.temperature).toBeCloseTo(100, 9);
    expect((await run(batchOf([[0, -Infinity]], [1]))).student).not.toHaveProperty('temperature');
  });

  it('does not depend on order, batches or merges', async () => {
    const value = fc.integer({ min: -40, max: 40 }).map((tenth) => tenth / 10);
    const rows = fc.array(fc.record({ logits: fc.tuple(value, value), label: fc.nat(1) }), {
      minLength: 2,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(rows, fc.nat(), async (samples, at) => {
        const cut = at % (samples.length + 1);
        const part = (from: number, to?: number): PairBatch => {
          const some = samples.slice(from, to);
          return batchOf(
            some.map(({ logits }) => logits),
            some.map(({ label }) => label),
          );
        };
        const whole = await run(part(0));
        const back = await runFullPass(SETTINGS, () => [part(cut), part(0, cut)]);
        expect(back.student?.smoothEce).toBe(whole.student?.smoothEce);
        expect(back.student?.eceEqualMass).toBe(whole.student?.eceEqualMass);
        expect(back.student?.nllAfter).toBeCloseTo(whole.student?.nllAfter ?? NaN, 9);
        const merged = new FullPass({ ...SETTINGS, temperature: false });
        const other = new FullPass({ ...SETTINGS, temperature: false });
        merged.add(part(cut));
        other.add(part(0, cut));
        merged.merge(other);
        expect(merged.result().student?.smoothEce).toBe(whole.student?.smoothEce);
      }),
      { numRuns: 8 },
    );
  });

  it('refuses a pass that has other rows than the first', () => {
    const pass = new FullPass(SETTINGS);
    pass.add(
      batchOf(
        [
          [2, -2],
          [1, -1],
        ],
        [0, 1],
      ),
    );
    expect(pass.endPass()).toBe(true);
    pass.add(batchOf([[2, -2]], [0]));
    expect(() => pass.endPass()).toThrow('this pass had 1 rows, the first 2');
  });

  it('has no result without rows', () => {
    expect(() => new FullPass(SETTINGS).result()).toThrow('add at least one row');
  });
});

describe('equalMassTotals', () => {
  it('keeps equal confidences together', () => {
    const totals = equalMassTotals(
      { right: Float64Array.of(0.5, 0.5, 0.5), wrong: Float64Array.of(0.5, 0.9) },
      2,
    );
    expect(totals.count).toEqual([0, 5]);
    expect(
      equalMassTotals({ right: Float64Array.of(0.6, 0.9), wrong: Float64Array.of(0.5, 0.8) }, 2).count,
    ).toEqual([2, 2]);
  });
});

describe('rankCorrelation', () => {
  it('sees order alone, shares ranks among ties and has none of a constant row', () => {
    expect(rankCorrelation(Float64Array.of(1, 2, 3), Float64Array.of(-9, 0, 1e4))).toBe(1);
    expect(rankCorrelation(Float64Array.of(1, 2, 3), Float64Array.of(3, 2, 1))).toBe(-1);
    expect(rankCorrelation(Float64Array.of(1, 2, 3), Float64Array.of(0, 0, 1))).toBeCloseTo(
      Math.sqrt(3) / 2,
      14,
    );
    expect(rankCorrelation(Float64Array.of(1, 2), Float64Array.of(0, 0))).toBeNull();
  });
});

describe('distributions', () => {
  it('has the published values of erf', () => {
    expect(errorFunction(0.5)).toBeCloseTo(0.5204998778130465, 14);
    expect(errorFunction(-2)).toBeCloseTo(-0.9953222650189527, 14);
    expect(errorFunction(7)).toBe(1);
  });

  it('sums the binomial to 1 and to its mean deviation', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        (n, p) => {
          const chances = Array.from({ length: n + 1 }, (_, k) => binomialProbability(k, n, p));
          expect(chances.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 11);
          const deviation = chances.reduce((sum, chance, k) => sum + chance * Math.abs(k - n * p), 0);
          expect(binomialMeanDeviation(n, p)).toBeCloseTo(deviation, 9);
        },
      ),
    );
  });
});

describe('PerSample', () => {
  it('has the values whose means are the metrics, in the order of the rows', () => {
    const samples = new PerSample(SETTINGS);
    samples.add(batchOf([[Math.log(3), 0]], [0]));
    const more = new PerSample(SETTINGS);
    more.add(batchOf([[Math.log(3), 0]], [1]));
    samples.merge(more);
    const { n, agree, agreeTop5, predictedTeacher, predictedStudent, kl, labelled } = samples.result();
    expect(n).toBe(2);
    expect([...agree]).toEqual([1, 1]);
    expect([...agreeTop5]).toEqual([1, 1]);
    expect([[...predictedTeacher], [...predictedStudent]]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect([...kl]).toEqual([0, 0]);
    expect([...(labelled?.correctStudent ?? [])]).toEqual([1, 0]);
    expect(labelled?.nllStudent[1]).toBeCloseTo(Math.log(4), 14);
    expect(labelled?.brierTeacher[0]).toBeCloseTo(0.125, 14);
  });
});
