import { PercentUnit, Short } from '@grafana/grafana-foundation-sdk/units';
import { BY_RUN, calibrationQueries } from '../prometheus/calibration-queries.js';
import { gauge } from './metric-reference.js';
import { CHOSEN_RUNS, CHOSEN_SETS, WINDOW, type BoardRow } from './panels.js';

const LEGEND = '{{run}} {{set}} {{model}} {{bins}} bins';
const OF_RUNS = { window: WINDOW, by: BY_RUN, matchers: [CHOSEN_RUNS, CHOSEN_SETS] };
const TOGETHER = { ...OF_RUNS, by: ['set', 'model', 'bins'] };

/**
 * Whether confidences can be believed: over all evaluations of the window, from the cumulative bins, and of the last one. The model
 * `fidelity` is the student measured against the teacher's class instead of the label.
 */
export const calibrationRow: BoardRow = {
  title: 'Calibration',
  panels: [
    {
      title: 'ECE over the window',
      description:
        'Expected calibration error of all evaluations in the window together, from the reliability bins. The window is chosen at the top.',
      unit: PercentUnit,
      decimals: 2,
      min: 0,
      queries: [{ expr: calibrationQueries.ece(OF_RUNS), legend: LEGEND }],
    },
    {
      title: 'ECE over the window, chosen runs together',
      description:
        'The bins of the chosen runs are added up before the error is taken: it is that of the mixture of their predictions, not the mean of their errors.',
      unit: PercentUnit,
      decimals: 2,
      min: 0,
      queries: [{ expr: calibrationQueries.ece(TOGETHER), legend: '{{set}} {{model}} {{bins}} bins' }],
    },
    {
      title: 'MCE over the window',
      description:
        'Largest gap between accuracy and confidence in any bin; a bin with few samples can decide it.',
      unit: PercentUnit,
      decimals: 2,
      min: 0,
      queries: [{ expr: calibrationQueries.mce(OF_RUNS), legend: LEGEND }],
    },
    {
      title: 'Reliability of the student',
      description:
        'Share of right predictions beside the mean confidence, by bin of the confidence, over the window. Accuracy below confidence: overconfident.',
      reliabilityOf: 'student',
    },
    {
      title: 'Reliability of the teacher',
      description:
        'Share of right predictions beside the mean confidence, by bin of the confidence, over the window.',
      reliabilityOf: 'teacher',
    },
    {
      title: 'Reliability of the student about its teacher',
      description:
        'Share of predictions that are the teacher’s class, beside the mean confidence, by bin of the confidence, over the window.',
      reliabilityOf: 'fidelity',
    },
    {
      title: 'ECE beside chance',
      description:
        'Of the last evaluation: the expected calibration error, and the one that a perfectly calibrated model with these confidences shows by chance. Near it, an ECE says nothing against the model.',
      unit: PercentUnit,
      decimals: 2,
      min: 0,
      queries: [
        { expr: gauge('fidelis_ece_ratio', CHOSEN_RUNS, CHOSEN_SETS), legend: LEGEND },
        { expr: gauge('fidelis_null_ece_ratio', CHOSEN_RUNS, CHOSEN_SETS), legend: `by chance: ${LEGEND}` },
      ],
    },
    {
      title: 'Maximum calibration error',
      description: 'Of the last evaluation.',
      unit: PercentUnit,
      decimals: 2,
      min: 0,
      queries: [{ expr: gauge('fidelis_mce_ratio', CHOSEN_RUNS, CHOSEN_SETS), legend: LEGEND }],
    },
    {
      title: 'Samples in the window',
      description: 'Samples behind the errors over the window, each evaluation’s counted.',
      unit: Short,
      decimals: 0,
      min: 0,
      queries: [{ expr: calibrationQueries.samples(OF_RUNS), legend: LEGEND }],
    },
  ],
};
