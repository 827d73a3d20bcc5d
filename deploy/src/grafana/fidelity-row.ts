import { PercentUnit } from '@grafana/grafana-foundation-sdk/units';
import { gauge } from './metric-reference.js';
import { CHOSEN_RUNS, CHOSEN_SETS, type BoardRow } from './panels.js';

const LEGEND = '{{run}} {{set}}';
const MODEL_LEGEND = '{{run}} {{set}} {{model}}';

/** How well the students match their teachers, and how well both predict the labels. Every figure is of the last evaluation. */
export const fidelityRow: BoardRow = {
  title: 'Fidelity and generalisation',
  panels: [
    {
      title: 'Top-1 agreement',
      description: 'Share of samples on which student and teacher predict the same class.',
      unit: PercentUnit,
      decimals: 2,
      max: 1,
      queries: [{ expr: gauge('fidelis_agreement_ratio', CHOSEN_RUNS, CHOSEN_SETS), legend: LEGEND }],
    },
    {
      title: 'Predictive KL',
      description: 'Mean KL(teacher ‖ student) of the predictive distributions; 0 is a perfect match.',
      unit: 'suffix: nats',
      decimals: 4,
      min: 0,
      queries: [{ expr: gauge('fidelis_predictive_kl_nats', CHOSEN_RUNS, CHOSEN_SETS), legend: LEGEND }],
    },
    {
      title: 'Accuracy',
      description: 'Top-1 accuracy of student and teacher.',
      unit: PercentUnit,
      decimals: 2,
      max: 1,
      queries: [{ expr: gauge('fidelis_accuracy_ratio', CHOSEN_RUNS, CHOSEN_SETS), legend: MODEL_LEGEND }],
    },
    {
      title: 'Expected calibration error',
      description: 'The legend says of how many bins: figures of different bins cannot be compared.',
      unit: PercentUnit,
      decimals: 2,
      min: 0,
      queries: [
        {
          expr: gauge('fidelis_ece_ratio', CHOSEN_RUNS, CHOSEN_SETS),
          legend: `${MODEL_LEGEND} {{bins}} bins`,
        },
      ],
    },
    {
      title: 'Negative log-likelihood',
      description: 'Mean over the samples of the set.',
      unit: 'suffix: nats',
      decimals: 4,
      min: 0,
      queries: [{ expr: gauge('fidelis_nll_nats', CHOSEN_RUNS, CHOSEN_SETS), legend: MODEL_LEGEND }],
    },
  ],
};
