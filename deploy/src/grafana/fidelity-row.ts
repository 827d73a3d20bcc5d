import { PercentUnit, Short } from '@grafana/grafana-foundation-sdk/units';
import { gauge } from './metric-reference.js';
import { CHOSEN_RUNS, CHOSEN_SETS, type BoardRow } from './panels.js';

const LEGEND = '{{run}} {{set}}';
const MODEL_LEGEND = '{{run}} {{set}} {{model}}';

/** How well the students match their teachers, and how well both predict the labels. Every figure is of the last evaluation. */
export const fidelityRow: BoardRow = {
  title: 'Fidelity and generalisation',
  panels: [
    {
      title: 'Agreement',
      description:
        'Share of samples on which student and teacher predict the same class; and where the teacher’s class is among the student’s five likeliest.',
      unit: PercentUnit,
      decimals: 2,
      max: 1,
      queries: [
        { expr: gauge('fidelis_agreement_ratio', CHOSEN_RUNS, CHOSEN_SETS), legend: LEGEND },
        {
          expr: gauge('fidelis_top5_agreement_ratio', CHOSEN_RUNS, CHOSEN_SETS),
          legend: `${LEGEND} top 5`,
        },
      ],
    },
    {
      title: 'Cohen’s kappa',
      description: 'Agreement beyond chance: 1 is perfect, 0 is what two independent models show.',
      unit: Short,
      decimals: 3,
      max: 1,
      queries: [{ expr: gauge('fidelis_cohen_kappa_ratio', CHOSEN_RUNS, CHOSEN_SETS), legend: LEGEND }],
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
      title: 'Jensen-Shannon and total variation',
      description:
        'Distances of the predictive distributions that are bounded, where a KL can be infinite: Jensen-Shannon 0 to ln 2 nats, total variation 0 to 1.',
      unit: Short,
      decimals: 4,
      min: 0,
      queries: [
        {
          expr: gauge('fidelis_jensen_shannon_nats', CHOSEN_RUNS, CHOSEN_SETS),
          legend: `${LEGEND} Jensen-Shannon`,
        },
        {
          expr: gauge('fidelis_total_variation_ratio', CHOSEN_RUNS, CHOSEN_SETS),
          legend: `${LEGEND} total variation`,
        },
      ],
    },
    {
      title: 'Accuracy',
      description: 'Top-1 and top-5 accuracy of student and teacher.',
      unit: PercentUnit,
      decimals: 2,
      max: 1,
      queries: [
        { expr: gauge('fidelis_accuracy_ratio', CHOSEN_RUNS, CHOSEN_SETS), legend: MODEL_LEGEND },
        {
          expr: gauge('fidelis_top5_accuracy_ratio', CHOSEN_RUNS, CHOSEN_SETS),
          legend: `${MODEL_LEGEND} top 5`,
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
    {
      title: 'Brier score',
      description:
        'Mean squared distance of the probabilities from the label, summed over the classes: 0 to 2.',
      unit: Short,
      decimals: 4,
      min: 0,
      queries: [{ expr: gauge('fidelis_brier_score', CHOSEN_RUNS, CHOSEN_SETS), legend: MODEL_LEGEND }],
    },
  ],
};
