import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EvaluationEngine } from './evaluation-engine.js';
import { runFullPass } from './full-pass.js';
import { GnosisCompat, type GnosisBatch } from './gnosis-compat.js';

/** Uncertainty is the matter of `libs/statistics`, and of its own test. */
const text = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8').replace(
  /^## Uncertainty.*?(?=^## )/ms,
  '',
);
const SETTINGS = { classes: 3, kind: 'probs', labels: true, bins: 5, topK: 2 } as const;

/** Samples first…last of the table of the example, counted from 1. */
function example(first = 1, last = 4): GnosisBatch {
  const rows = [...text.matchAll(/^\| (\d) +\| ([\d., ]+?) +\| ([\d., ]+?) +\| (\d) +\|$/gm)].slice(
    first - 1,
    last,
  );
  const numbers = (cell: string | undefined): number[] => (cell ?? '').split(',').map(Number);
  return {
    teacher: Float64Array.from(rows.flatMap((row) => numbers(row[2]))),
    student: Float64Array.from(rows.flatMap((row) => numbers(row[3]))),
    labels: Int32Array.from(rows, (row) => Number(row[4])),
    rows: rows.length,
  };
}

async function figures(): Promise<unknown> {
  const engine = new EvaluationEngine(SETTINGS);
  engine.add(example());
  const result = engine.result();
  const full = await runFullPass({ ...SETTINGS, rankCorrelation: true }, () => [example()]);
  const compat = new GnosisCompat(SETTINGS);
  compat.add(example(1, 3));
  compat.add(example(4, 4));
  return {
    fidelity: { ...result.fidelity, rankCorrelation: full.rankCorrelation },
    teacher: { ...result.teacher, ...full.teacher },
    student: { ...result.student, ...full.student },
    gnosis: compat.result(),
  };
}

describe('docs/metrics.md', () => {
  it('has an example of four samples', () => {
    expect(example().rows).toBe(4);
  });

  it('has the figures that the code computes', async () => {
    const computed = await figures();
    const stated = [...text.matchAll(/`([a-zA-Z0-9.]+)`\s=\s(-?\d+(?:\.(\d+))?)/g)];
    expect(stated.length).toBeGreaterThan(30);
    for (const [, path = '', value = '', decimals = ''] of stated) {
      const figure = path
        .split('.')
        .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], computed);
      expect(Number(figure).toFixed(decimals.length), path).toBe(Number(value).toFixed(decimals.length));
    }
  });
});
