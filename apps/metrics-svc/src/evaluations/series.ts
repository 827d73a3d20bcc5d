import { evaluationSets, type EvaluationRecord, type UnboundedFigure } from '@fidelis/contracts';
import type { BinTotals } from '@fidelis/fidelity';
import type { MetricsRegistry } from '@fidelis/observability';

/** Whose calibration: `fidelity` is the student's, with the teacher's class in the place of the label. */
export type CalibratedModel = 'teacher' | 'student' | 'fidelity';

type Fidelity = EvaluationRecord['fidelity'];
type Model = EvaluationRecord['student'];
type Binned = Pick<Model, 'mce' | 'nullEce'> & { readonly ece: number | null };

const FIDELITY_GAUGES = {
  fidelis_agreement_ratio: ({ top1Agreement }: Fidelity) => top1Agreement,
  fidelis_top5_agreement_ratio: ({ top5Agreement }: Fidelity) => top5Agreement,
  fidelis_cohen_kappa_ratio: ({ cohenKappa }: Fidelity) => cohenKappa,
  fidelis_predictive_kl_nats: ({ predictiveKl }: Fidelity) => predictiveKl,
  fidelis_jensen_shannon_nats: ({ jensenShannon }: Fidelity) => jensenShannon,
  fidelis_total_variation_ratio: ({ totalVariation }: Fidelity) => totalVariation,
} as const;

const MODEL_GAUGES = {
  fidelis_accuracy_ratio: ({ accuracy }: Model) => accuracy,
  fidelis_top5_accuracy_ratio: ({ top5Accuracy }: Model) => top5Accuracy,
  fidelis_nll_nats: ({ nll }: Model) => nll,
  fidelis_brier_score: ({ brier }: Model) => brier,
} as const;

/** By number of bins: figures of different ones cannot be compared. */
const BINNED_GAUGES = {
  fidelis_ece_ratio: ({ ece }: Binned) => ece,
  fidelis_mce_ratio: ({ mce }: Binned) => mce,
  fidelis_null_ece_ratio: ({ nullEce }: Binned) => nullEce,
} as const;

type GaugeName = keyof typeof FIDELITY_GAUGES | keyof typeof MODEL_GAUGES | keyof typeof BINNED_GAUGES;

const NOT_MEASURED: Binned = { ece: null, mce: null, nullEce: null };

/** The figures of running and lately finished runs in Prometheus. */
export class EvaluationSeries {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  /** By run: of each set the step that is shown. */
  private readonly shown = new Map<string, Map<string, number>>();

  constructor(
    private readonly metrics: MetricsRegistry,
    /** Silence of a run after which its series go. */
    private readonly ttlMs: number,
  ) {
    for (const set of evaluationSets) metrics.counter('fidelis_evaluations_total').inc({ set }, 0);
  }

  /**
   * To be called once for each evaluation that was completed: its sums are added to the counters.
   *
   * @param reliability the sums of this whole evaluation by bin
   */
  show(evaluation: EvaluationRecord, reliability: Readonly<Record<CalibratedModel, BinTotals>>): void {
    const { runId: run, set, bins, teacher, student } = evaluation;
    this.metrics.counter('fidelis_evaluations_total').inc({ set });
    for (const [model, totals] of Object.entries(reliability)) {
      this.count({ run, set, model, bins: String(bins) }, totals);
    }
    this.forgetLater(run);
    if (!this.isNewest(evaluation)) return;
    this.set(FIDELITY_GAUGES, { run, set }, evaluation.fidelity);
    for (const [model, figures] of Object.entries({ teacher, student })) {
      this.set(MODEL_GAUGES, { run, set, model }, figures);
    }
    const calibrated = { teacher, student, fidelity: evaluation.fidelity.calibration ?? NOT_MEASURED };
    for (const [model, figures] of Object.entries(calibrated)) {
      this.set(BINNED_GAUGES, { run, set, model, bins: String(bins) }, figures);
    }
  }

  onModuleDestroy(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  /** A figure that is infinite or was not measured has no series: the last evaluation's must not stand for it. */
  private set<Figures>(
    gauges: Partial<Record<GaugeName, (figures: Figures) => UnboundedFigure>>,
    labels: Readonly<Record<string, string>>,
    figures: Figures,
  ): void {
    for (const [name, read] of Object.entries(gauges)) {
      const gauge = this.metrics.gauge(name as GaugeName);
      const value = read(figures);
      if (typeof value === 'number' && Number.isFinite(value)) gauge.set({ ...labels }, value);
      else gauge.remove({ ...labels });
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
