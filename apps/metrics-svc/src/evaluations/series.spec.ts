import type { EvaluationRecord } from '@fidelis/contracts';
import type { BinTotals } from '@fidelis/fidelity';
import { MetricsRegistry } from '@fidelis/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EvaluationSeries } from './series.js';

function evaluationOf(step: number, top1Agreement: number): EvaluationRecord {
  const figures = { accuracy: 0.9, nll: 0.3, ece: 0.02 };
  const place = { runId: 'r-1', set: 'test', step, bins: 15 } as const;
  const rest = { fidelity: { top1Agreement, predictiveKl: 0.04 }, teacher: figures, student: figures };
  return { ...place, ...rest } as EvaluationRecord;
}

const EMPTY: BinTotals = { count: [0, 0], correct: [0, 0], confidence: [0, 0] };
const NOTHING = { teacher: EMPTY, student: EMPTY, fidelity: EMPTY };

describe('the series of a run', () => {
  let metrics: MetricsRegistry;
  let sut: EvaluationSeries;

  beforeEach(() => {
    vi.useFakeTimers();
    metrics = new MetricsRegistry('metrics-svc', '0.1.0');
    sut = new EvaluationSeries(metrics, 1_000);
  });
  afterEach(() => {
    sut.onModuleDestroy();
    vi.useRealTimers();
  });

  async function agreement(): Promise<number | undefined> {
    const { values } = await metrics.gauge('fidelis_agreement_ratio').get();
    return values[0]?.value;
  }

  it('show the latest step, also when an earlier one is completed after it', async () => {
    sut.show(evaluationOf(94, 0.97), NOTHING);
    sut.show(evaluationOf(47, 0.91), NOTHING);
    expect(await agreement()).toBe(0.97);
    sut.show(evaluationOf(141, 0.98), NOTHING);
    expect(await agreement()).toBe(0.98);
    const { values } = await metrics.counter('fidelis_evaluations_total').get();
    expect(values[0]?.value).toBe(3);
  });

  it('go after some time without an evaluation', async () => {
    sut.show(evaluationOf(94, 0.97), NOTHING);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await agreement()).toBeUndefined();
    sut.show(evaluationOf(47, 0.91), NOTHING);
    expect(await agreement()).toBe(0.91);
  });
});
