import type { EvaluationRecord } from '@fidelis/contracts';
import type { BinTotals } from '@fidelis/fidelity';
import { METRICS, MetricsRegistry, type MetricDefinition } from '@fidelis/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EvaluationSeries } from './series.js';

const TTL_MS = 1_000;
const CALIBRATION = { ece: 0.02, mce: 0.2, nullEce: 0.01 };
const FIGURES = { accuracy: 0.9, top5Accuracy: 0.99, nll: 0.3, brier: 0.1, ...CALIBRATION };
const FIDELITY = {
  top1Agreement: 0.97,
  top5Agreement: 0.999,
  cohenKappa: 0.96,
  predictiveKl: 0.04,
  jensenShannon: 0.01,
  totalVariation: 0.05,
  calibration: CALIBRATION,
};

interface Shown {
  readonly run?: string;
  readonly step?: number;
  readonly fidelity?: Partial<EvaluationRecord['fidelity']>;
  readonly student?: Partial<EvaluationRecord['student']>;
}

function evaluation({ run = 'r-1', step = 47, fidelity = {}, student = {} }: Shown = {}): EvaluationRecord {
  return {
    runId: run,
    set: 'test',
    step,
    bins: 2,
    fidelity: { ...FIDELITY, ...fidelity },
    teacher: FIGURES,
    student: { ...FIGURES, ...student },
  } as unknown as EvaluationRecord;
}

const STUDENT: BinTotals = { count: [3, 0, 1], correct: [2, 0, 1], confidence: [1.25, 0, 1] };
const TEACHER: BinTotals = { count: [0, 4, 0], correct: [0, 4, 0], confidence: [0, 3.5, 0] };
const FIDELITY_BINS: BinTotals = { count: [3, 0, 1], correct: [3, 0, 1], confidence: [1.25, 0, 1] };
const BINS = { teacher: TEACHER, student: STUDENT, fidelity: FIDELITY_BINS };

describe('the series of a run', () => {
  let metrics: MetricsRegistry;
  let sut: EvaluationSeries;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    metrics = new MetricsRegistry('metrics-svc', '0.1.0');
    sut = new EvaluationSeries(metrics, TTL_MS);
  });
  afterEach(() => {
    sut.onModuleDestroy();
    vi.useRealTimers();
  });

  /** One scrape: each series of Fidelis with its value, as text. */
  async function scrape(): Promise<Map<string, string>> {
    const lines = (await metrics.scrape()).split('\n').filter((line) => line.startsWith('fidelis_'));
    return new Map(
      lines.map((line): [string, string] => [
        line.slice(0, line.lastIndexOf(' ')),
        line.slice(line.lastIndexOf(' ') + 1),
      ]),
    );
  }

  function bin(counter: 'count' | 'correct_sum' | 'confidence_sum', model: string, index: string): string {
    return `fidelis_reliability_${counter}_total{run="r-1",set="test",model="${model}",bins="2",bin="${index}"}`;
  }

  it('show the latest step, also when an earlier one is completed after it', async () => {
    const agreement = 'fidelis_agreement_ratio{run="r-1",set="test"}';
    sut.show(evaluation({ step: 94, fidelity: { top1Agreement: 0.97 } }), BINS);
    sut.show(evaluation({ step: 47, fidelity: { top1Agreement: 0.91 } }), BINS);
    expect((await scrape()).get(agreement)).toBe('0.97');
    sut.show(evaluation({ step: 141, fidelity: { top1Agreement: 0.98 } }), BINS);
    const series = await scrape();
    expect(series.get(agreement)).toBe('0.98');
    expect(series.get('fidelis_evaluations_total{set="test"}')).toBe('3');
    expect(series.get('fidelis_evaluations_total{set="train-clean"}')).toBe('0');
  });

  it('are of every metric by run that the catalogue gives this service', async () => {
    sut.show(evaluation(), BINS);
    const shown = new Set([...(await scrape()).keys()].map((name) => name.replace(/\{.*/, '')));
    for (const [name, { labels, services }] of Object.entries<MetricDefinition>(METRICS)) {
      if (services.includes('metrics-svc') && labels.includes('run')) expect(shown).toContain(name);
    }
  });

  it('are absent for a figure that is infinite or was not measured, also where there was one before', async () => {
    const kl = 'fidelis_predictive_kl_nats{run="r-1",set="test"}';
    const nll = 'fidelis_nll_nats{run="r-1",set="test",model="student"}';
    const brier = 'fidelis_brier_score{run="r-1",set="test",model="student"}';
    const ece = 'fidelis_ece_ratio{run="r-1",set="test",model="fidelity",bins="2"}';
    sut.show(evaluation({ step: 47 }), BINS);
    const before = await scrape();
    for (const name of [kl, nll, brier, ece]) expect([...before.keys()]).toContain(name);
    sut.show(
      evaluation({
        step: 94,
        fidelity: { predictiveKl: 'Infinity', calibration: null },
        student: { nll: 'Infinity', brier: null },
      }),
      BINS,
    );
    const after = await scrape();
    for (const name of [kl, nll, brier, ece]) expect([...after.keys()]).not.toContain(name);
    expect(after.get('fidelis_nll_nats{run="r-1",set="test",model="teacher"}')).toBe('0.3');
  });

  it('have a zero for each bin first, and then the sums over all evaluations, of an earlier step too', async () => {
    sut.show(evaluation({ step: 94 }), BINS);
    const first = [...(await scrape())].filter(([name]) => name.startsWith('fidelis_reliability_'));
    expect(first).toHaveLength(3 * 3 * 3);
    expect(first.filter(([, value]) => value !== '0')).toEqual([]);
    sut.show(evaluation({ step: 47 }), BINS);
    const series = await scrape();
    expect(series.get(bin('count', 'student', '0000'))).toBe('6');
    expect(series.get(bin('correct_sum', 'student', '0000'))).toBe('4');
    expect(series.get(bin('confidence_sum', 'student', '0000'))).toBe('2.5');
    expect(series.get(bin('correct_sum', 'fidelity', '0000'))).toBe('6');
    expect(series.get(bin('count', 'student', '0001'))).toBe('0');
    expect(series.get(bin('count', 'teacher', '0001'))).toBe('8');
    expect(series.get(bin('count', 'student', '0002'))).toBe('2');
  });

  it('all go after some time without an evaluation, and no other run’s; a later one starts from zero', async () => {
    sut.show(evaluation(), BINS);
    await scrape();
    await vi.advanceTimersByTimeAsync(TTL_MS / 2);
    sut.show(evaluation({ run: 'r-2' }), BINS);
    expect([...(await scrape()).keys()].join('\n')).toContain('run="r-1"');
    await vi.advanceTimersByTimeAsync(TTL_MS / 2);
    const left = await scrape();
    expect([...left.keys()].join('\n')).not.toContain('run="r-1"');
    expect([...left.keys()].filter((name) => name.includes('run="r-2"'))).not.toHaveLength(0);
    expect(left.get('fidelis_evaluations_total{set="test"}')).toBe('2');
    sut.show(evaluation({ step: 46 }), BINS);
    const again = await scrape();
    expect(again.get('fidelis_agreement_ratio{run="r-1",set="test"}')).toBe('0.97');
    expect(again.get(bin('count', 'student', '0000'))).toBe('0');
    expect((await scrape()).get(bin('count', 'student', '0000'))).toBe('3');
  });

  it('stay as long as evaluations come', async () => {
    for (const step of [47, 94, 141]) {
      sut.show(evaluation({ step }), BINS);
      await vi.advanceTimersByTimeAsync(TTL_MS - 1);
    }
    expect([...(await scrape()).keys()].join('\n')).toContain('run="r-1"');
  });
});
