import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bootstrap, type BootstrapInterval, type BootstrapMethod } from './bootstrap.js';
import { holm } from './corrections.js';
import { mcnemarTest } from './mcnemar.js';
import { pairedPermutationTest } from './permutation-test.js';
import { meanOf } from './statistic.js';
import { studentTInterval } from './student-t.js';

const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
const [section = ''] = /^## Uncertainty.*?(?=^## )/ms.exec(document) ?? [];

function agreement(method: BootstrapMethod, level: number): BootstrapInterval {
  const statistics = { agreement: meanOf([1, 1, 0, 0]) };
  return bootstrap(statistics, { seed: 0, resamples: 20_000, level, method }).agreement;
}

function figures(): Record<string, unknown> {
  const [first, second, third] = holm([0.01, 0.04, 0.03]);
  return {
    bootstrap: {
      percentile80: agreement('percentile', 0.8),
      percentile95: agreement('percentile', 0.95),
      bca80: agreement('bca', 0.8),
    },
    mcnemar: {
      exact: mcnemarTest({ onlyFirst: 9, onlySecond: 2 }).pValue,
      chiSquared: mcnemarTest({ onlyFirst: 30, onlySecond: 14 }).pValue,
    },
    permutation: pairedPermutationTest([0.3, 0.1, 0.1], { seed: 0 }),
    holm: { first, second, third },
    runs: studentTInterval([0.7, 0.72, 0.74]),
  };
}

describe('the uncertainty of docs/metrics.md', () => {
  it('has the figures that the code computes', () => {
    const computed = figures();
    const stated = [...section.matchAll(/`([a-zA-Z0-9.]+)`\s=\s(-?\d+(?:\.(\d+))?)/g)];
    expect(stated).toHaveLength(14);
    for (const [, path = '', value = '', decimals = ''] of stated) {
      const figure = path
        .split('.')
        .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], computed);
      expect(Number(figure).toFixed(decimals.length), path).toBe(value);
    }
  });
});
