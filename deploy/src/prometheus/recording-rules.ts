import { BY_RUN, calibrationQueries } from './calibration-queries.js';

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** Windows that are recorded; any other one can be asked for with `calibrationQueries`. */
export const RECORDED_WINDOWS = ['1h', '1d'] as const;

const RECORDED = {
  ece: 'fidelis_ece_ratio',
  mce: 'fidelis_mce_ratio',
  rmsce: 'fidelis_rmsce_ratio',
} as const;

/** Calibration errors by run, set and model over the windows, named `<labels>:<metric>:<operation>` as Prometheus recommends. */
export const recordingRules: readonly RecordingRule[] = RECORDED_WINDOWS.flatMap((window) =>
  Object.entries(RECORDED).map(([figure, metric]): RecordingRule => ({
    record: `${BY_RUN.join('_')}:${metric}:increase${window}`,
    expr: calibrationQueries[figure as keyof typeof RECORDED]({ window, by: BY_RUN }),
  })),
);
