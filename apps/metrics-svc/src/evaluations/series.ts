import type { EvaluationRecord } from '@fidelis/contracts';
import type { BinTotals } from '@fidelis/fidelity';
import type { MetricsRegistry } from '@fidelis/observability';

/** Whose calibration: `fidelity` is the student's, with the teacher's class in the place of the label. */
export type CalibratedModel = 'teacher' | 'student' | 'fidelity';

/** The figures of running and lately finished runs in Prometheus. */
export class EvaluationSeries {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  /** By run: of each set the step that is shown. */
  private readonly shown = new Map<string, Map<string, number>>();

  constructor(
    private readonly metrics: MetricsRegistry,
    /** Silence of a run after which its series go. */
    private readonly ttlMs: number,
  ) {}

  /**
   * To be called once for each evaluation that was completed: its sums are added to the counters.
   *
   * @param reliability the sums of this whole evaluation by bin
   */
  show(evaluation: EvaluationRecord, reliability: Readonly<Record<CalibratedModel, BinTotals>>): void {
    const { runId: run, set, bins, fidelity, teacher, student } = evaluation;
    const { metrics } = this;
    metrics.counter('fidelis_evaluations_total').inc({ set });
    for (const [model, totals] of Object.entries(reliability)) {
      this.count({ run, set, model, bins: String(bins) }, totals);
    }
    this.forgetLater(run);
    if (!this.isNewest(evaluation)) return;
    metrics.gauge('fidelis_agreement_ratio').set({ run, set }, fidelity.top1Agreement);
    metrics.gauge('fidelis_predictive_kl_nats').set({ run, set }, fidelity.predictiveKl);
    for (const [model, figures] of Object.entries({ teacher, student })) {
      metrics.gauge('fidelis_accuracy_ratio').set({ run, set, model }, figures.accuracy);
      metrics.gauge('fidelis_nll_nats').set({ run, set, model }, figures.nll);
      metrics.gauge('fidelis_ece_ratio').set({ run, set, model, bins: String(bins) }, figures.ece);
    }
  }

  private count(labels: SeriesOfBins, totals: BinTotals): void {
    const { metrics } = this;
    totals.count.forEach((count, index) => {
      const place = { ...labels, bin: binLabel(index) };
      metrics.countOfRun('fidelis_reliability_count_total', place, count);
      metrics.countOfRun('fidelis_reliability_correct_sum_total', place, totals.correct[index] ?? 0);
      metrics.countOfRun('fidelis_reliability_confidence_sum_total', place, totals.confidence[index] ?? 0);
    });
  }

  onModuleDestroy(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  /** Parts that came again can complete an earlier step after a later one. */
  private isNewest({ runId, set, step }: EvaluationRecord): boolean {
    const steps = this.shown.get(runId) ?? new Map<string, number>();
    this.shown.set(runId, steps);
    if (step < (steps.get(set) ?? 0)) return false;
    steps.set(set, step);
    return true;
  }

  private forgetLater(run: string): void {
    clearTimeout(this.timers.get(run));
    const timer = setTimeout(() => {
      void this.metrics.forgetRun(run);
      this.timers.delete(run);
      this.shown.delete(run);
    }, this.ttlMs);
    this.timers.set(run, timer.unref());
  }
}

interface SeriesOfBins {
  readonly run: string;
  readonly set: string;
  readonly model: string;
  readonly bins: string;
}

/** By rising confidence, padded so that text sorts as numbers do: 1000 bins at most, and one for a confidence of exactly 1. */
export function binLabel(index: number): string {
  return String(index).padStart(4, '0');
}
