import type { EvaluationRecord } from '@fidelis/contracts';
import type { MetricsRegistry } from '@fidelis/observability';

/** The figures of running and lately finished runs in Prometheus. */
export class EvaluationSeries {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly metrics: MetricsRegistry,
    /** Silence of a run after which its series go. */
    private readonly ttlMs: number,
  ) {}

  show(evaluation: EvaluationRecord): void {
    const { runId: run, set, bins, fidelity, teacher, student } = evaluation;
    const { metrics } = this;
    metrics.gauge('fidelis_agreement_ratio').set({ run, set }, fidelity.top1Agreement);
    metrics.gauge('fidelis_predictive_kl_nats').set({ run, set }, fidelity.predictiveKl);
    for (const [model, figures] of Object.entries({ teacher, student })) {
      metrics.gauge('fidelis_accuracy_ratio').set({ run, set, model }, figures.accuracy);
      metrics.gauge('fidelis_nll_nats').set({ run, set, model }, figures.nll);
      metrics.gauge('fidelis_ece_ratio').set({ run, set, model, bins: String(bins) }, figures.ece);
    }
    metrics.counter('fidelis_evaluations_total').inc({ set });
    this.forgetLater(run);
  }

  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  private forgetLater(run: string): void {
    clearTimeout(this.timers.get(run));
    const timer = setTimeout(() => {
      this.metrics.forgetRun(run);
      this.timers.delete(run);
    }, this.ttlMs);
    this.timers.set(run, timer.unref());
  }
}
