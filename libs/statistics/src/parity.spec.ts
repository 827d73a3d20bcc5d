import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bcaInterval,
  benjaminiHochberg,
  bootstrap,
  erfc,
  holm,
  mcnemarTest,
  meanOf,
  normalCdf,
  normalQuantile,
  pairedPermutationTest,
  percentileInterval,
  quantile,
  ratioOf,
  studentTCritical,
  studentTInterval,
  type Statistic,
} from './index.js';

type Pair = readonly [number, number];

interface Golden {
  erfc: Pair[];
  normalCdf: Pair[];
  normalQuantile: Pair[];
  studentT: [number, number, number][];
  tIntervals: { values: number[]; lo: number; hi: number }[];
  mcnemar: {
    onlyFirst: number;
    onlySecond: number;
    exact: number;
    chiSquared?: { statistic: number; pValue: number };
  }[];
  mcnemarTied: { count: number; statistic: number; pValue: number };
  corrections: { pValues: number[]; holm: number[]; benjaminiHochberg: number[] }[];
  permutationExact: { differences: number[]; pValue: number }[];
  permutationMonteCarlo: { differences: number[]; pValue: number };
  bootstrap: {
    name: string;
    columns: [number[], number[]?];
    level: number;
    distribution: number[];
    bca: Pair;
    percentile: Pair;
    manyBca: Pair;
    manyStandardError: number;
  }[];
  quantiles: { values: number[]; quantiles: Pair[] };
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/parity/statistics/golden/statistics.json', import.meta.url), 'utf8'),
) as Golden;

/** Relative, with room for values that are 0. */
function expectNear(actual: number, expected: number, tolerance: number): void {
  expect(Math.abs(actual - expected), `${actual} is not ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.abs(expected) + Number.MIN_VALUE,
  );
}

function statisticOf(columns: Golden['bootstrap'][number]['columns']): Statistic {
  const [first, second] = columns;
  return second === undefined ? meanOf(first) : ratioOf(first, second);
}

describe('distributions, against SciPy', () => {
  it.each(golden.erfc)('erfc(%d)', (x, expected) => expectNear(erfc(x), expected, 1e-13));
  it.each(golden.normalCdf)('Φ(%d)', (x, expected) => expectNear(normalCdf(x), expected, 1e-12));
  it.each(golden.normalQuantile)('Φ⁻¹(%d)', (p, expected) => expectNear(normalQuantile(p), expected, 2e-14));
  it.each(golden.studentT)('t of level %d with %d degrees', (level, degrees, expected) =>
    expectNear(studentTCritical(level, degrees), expected, 1e-9),
  );
  it.each(golden.tIntervals)('interval over trials $lo…$hi', ({ values, lo, hi }) => {
    const interval = studentTInterval(values);
    expectNear(interval.lo, lo, 1e-9);
    expectNear(interval.hi, hi, 1e-9);
  });
});

describe('paired tests, against SciPy and statsmodels', () => {
  it.each(golden.mcnemar)('McNemar, exact: $onlyFirst to $onlySecond', ({ exact, ...pairs }) =>
    expectNear(mcnemarTest(pairs, 'exact').pValue, exact, 1e-9),
  );

  it.each(golden.mcnemar)('McNemar, χ²: $onlyFirst to $onlySecond', ({ chiSquared, ...pairs }) => {
    const result = mcnemarTest(pairs, 'chi-squared');
    if (chiSquared === undefined) {
      expect(result).toMatchObject({ statistic: 0, pValue: 1 });
    } else {
      expectNear(result.statistic, chiSquared.statistic, 1e-9);
      expectNear(result.pValue, chiSquared.pValue, 1e-9);
    }
  });

  it('differs from statsmodels on equal counts, which lets the corrected difference fall below 0', () => {
    const { count, statistic, pValue } = golden.mcnemarTied;
    expect(statistic).toBeCloseTo(1 / (2 * count), 12);
    expect(pValue).toBeLessThan(1);
    expect(mcnemarTest({ onlyFirst: count, onlySecond: count })).toMatchObject({ statistic: 0, pValue: 1 });
  });

  it.each(golden.permutationExact)('permutation test, exact: p = $pValue', ({ differences, pValue }) => {
    const result = pairedPermutationTest(differences, { seed: 1 });
    expect(result.method).toBe('exact');
    expectNear(result.pValue, pValue, 1e-9);
  });

  it('permutation test, Monte Carlo: within four standard errors of many permutations', () => {
    const { differences, pValue } = golden.permutationMonteCarlo;
    const result = pairedPermutationTest(differences, { seed: 1, permutations: 100_000 });
    expect(result.method).toBe('monte-carlo');
    const standardError = Math.sqrt((pValue * (1 - pValue)) / 100_000 + (pValue * (1 - pValue)) / 200_000);
    expect(Math.abs(result.pValue - pValue)).toBeLessThan(4 * standardError);
  });

  it.each(golden.corrections)('corrections of $pValues', (expected) => {
    holm(expected.pValues).forEach((p, index) => expectNear(p, expected.holm[index] ?? NaN, 1e-9));
    benjaminiHochberg(expected.pValues).forEach((p, index) =>
      expectNear(p, expected.benjaminiHochberg[index] ?? NaN, 1e-9),
    );
  });
});

describe('bootstrap, against SciPy', () => {
  it.each(golden.quantiles.quantiles)('quantile %d', (q, expected) =>
    expectNear(quantile(Float64Array.from(golden.quantiles.values).sort(), q), expected, 1e-12),
  );

  it.each(golden.bootstrap)('$name: both intervals of the same distribution', (expected) => {
    const statistic = statisticOf(expected.columns);
    const distribution = Float64Array.from(expected.distribution);
    const estimate = statistic.evaluate(new Uint32Array(statistic.samples).fill(1));
    const percentile = percentileInterval(distribution, expected.level);
    expectNear(percentile.lo, expected.percentile[0], 1e-9);
    expectNear(percentile.hi, expected.percentile[1], 1e-9);
    const bca = bcaInterval(
      distribution,
      estimate,
      statistic.leaveOneOut?.() ?? new Float64Array(),
      expected.level,
    );
    expectNear(bca.lo, expected.bca[0], 1e-9);
    expectNear(bca.hi, expected.bca[1], 1e-9);
  });

  it.each(golden.bootstrap)('$name: with its own generator, within the noise of resampling', (expected) => {
    const statistic = statisticOf(expected.columns);
    const { figure } = bootstrap(
      { figure: statistic },
      { seed: 3, resamples: 20_000, level: expected.level },
    );
    const noise = 0.05 * expected.manyStandardError;
    expect(Math.abs(figure.standardError / expected.manyStandardError - 1)).toBeLessThan(0.03);
    expect(Math.abs(figure.lo - expected.manyBca[0])).toBeLessThan(noise);
    expect(Math.abs(figure.hi - expected.manyBca[1])).toBeLessThan(noise);
  });
});
