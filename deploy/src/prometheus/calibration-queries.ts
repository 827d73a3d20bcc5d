import type { METRICS } from '@fidelis/observability';

/** The counters that the calibration over a window is computed from; the keys are those of `BinTotals` of libs/fidelity. */
export const RELIABILITY_COUNTERS = {
  count: 'fidelis_reliability_count_total',
  correct: 'fidelis_reliability_correct_sum_total',
  confidence: 'fidelis_reliability_confidence_sum_total',
} as const satisfies Record<string, keyof typeof METRICS>;

type CounterKey = keyof typeof RELIABILITY_COUNTERS;

export interface CalibrationScope {
  /** A PromQL duration; without it, all that the counters hold: what each process counted since it started. */
  readonly window?: string;
  /**
   * Labels of the result. What is left out is summed over before the error is taken, as `run` for the error of several runs together;
   * replicas always are. `bins` has to stay: bins of different widths cannot be added.
   */
  readonly by: readonly string[];
  readonly matchers?: readonly string[];
}

/** One figure for each run, set and model. */
export const BY_RUN = ['run', 'set', 'model', 'bins'] as const;

/**
 * PromQL of the calibration errors of libs/fidelity (calibration-error.ts), from sums by bin b: n_b samples, k_b of them right,
 * c_b the sum of their confidences. Bins without a sample in the window add nothing, a window without samples has no result.
 */
export const calibrationQueries = {
  /** ECE = Σ_b |k_b − c_b| / N */
  ece: (scope: CalibrationScope): string =>
    `sum by (${labels(scope)}) (abs(${gap(scope)})) / ${total(scope)}`,

  /** MCE = max_b |k_b − c_b| / n_b */
  mce: (scope: CalibrationScope): string =>
    `max by (${labels(scope)}) (abs(${gap(scope)}) / (${binSum('count', scope)} > 0))`,

  /** RMSCE = √ (Σ_b (k_b − c_b)² / n_b / N) */
  rmsce: (scope: CalibrationScope): string =>
    `sqrt(sum by (${labels(scope)}) ((${gap(scope)}) ^ 2 / (${binSum('count', scope)} > 0)) / ${total(scope)})`,

  /** acc_b = k_b / n_b, by the label `bin` too: the bars of a reliability diagram. */
  binAccuracy: (scope: CalibrationScope): string =>
    `${binSum('correct', scope)} / (${binSum('count', scope)} > 0)`,

  /** conf_b = c_b / n_b, by the label `bin` too. */
  binConfidence: (scope: CalibrationScope): string =>
    `${binSum('confidence', scope)} / (${binSum('count', scope)} > 0)`,

  /** N */
  samples: (scope: CalibrationScope): string => `sum by (${labels(scope)}) (${added('count', scope)})`,
} as const;

/** k_b − c_b = n_b (acc_b − conf_b). The sums over replicas and runs come before the absolute value: their errors do not add up. */
function gap(scope: CalibrationScope): string {
  return `${binSum('correct', scope)} - ${binSum('confidence', scope)}`;
}

function binSum(sum: CounterKey, scope: CalibrationScope): string {
  return `sum by (${[...scope.by, 'bin'].join(', ')}) (${added(sum, scope)})`;
}

/** N; no result instead of 0, by which nothing can be divided. */
function total(scope: CalibrationScope): string {
  return `(${calibrationQueries.samples(scope)} > 0)`;
}

function labels({ by }: CalibrationScope): string {
  return by.join(', ');
}

function added(sum: CounterKey, { window, matchers = [] }: CalibrationScope): string {
  const selector =
    matchers.length === 0
      ? RELIABILITY_COUNTERS[sum]
      : `${RELIABILITY_COUNTERS[sum]}{${matchers.join(', ')}}`;
  return window === undefined ? selector : `increase(${selector}[${window}])`;
}
