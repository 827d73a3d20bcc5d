import type { EvaluationRecord } from '@fidelis/contracts';
import type { MetricsRegistry } from '@fidelis/observability';

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

  show(evaluation: EvaluationRecord): void {
    const { runId: run, set, bins, fidelity, teacher, student } = evaluation;
    const { metrics } = this;
    metrics.counter('fidelis_evaluations_total').inc({ set });
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
      this.metrics.forgetRun(run);
      this.timers.delete(run);
      this.shown.delete(run);
    }, this.ttlMs);
    this.timers.set(run, timer.unref());
  }
}
