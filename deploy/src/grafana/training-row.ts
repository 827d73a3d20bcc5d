import { PercentUnit, Seconds, Short } from '@grafana/grafana-foundation-sdk/units';
import { gauge, quantile, rate } from './metric-reference.js';
import { CHOSEN_RUNS, type BoardRow } from './panels.js';

/** What the workers do now. */
export const trainingRow: BoardRow = {
  title: 'Training',
  panels: [
    {
      title: 'Student wait share',
      description:
        'Share of the students’ training time spent waiting for their teacher. Near 1: the teacher is the bottleneck; near 0: the students are.',
      unit: PercentUnit,
      decimals: 1,
      min: 0,
      max: 1,
      queries: [
        {
          expr: `sum(${rate('fidelis_student_wait_seconds_total')}) / sum(${rate('fidelis_training_seconds_total', 'kind="student"')})`,
          legend: 'waiting',
        },
      ],
    },
    {
      title: 'Age of live frames',
      description:
        'From when a frame was stored to when a student had trained on it, of sequences that are scored while they are trained on. Milliseconds: students wait for their teacher; the lead times the seconds of a step: the teacher waits for its students.',
      unit: Seconds,
      min: 0,
      queries: [
        { expr: quantile(0.5, 'fidelis_frame_age_seconds', []), legend: 'half are younger' },
        { expr: quantile(0.99, 'fidelis_frame_age_seconds', []), legend: '99 of 100 are younger' },
      ],
    },
    {
      title: 'Training rate',
      description: 'Images per second of each run.',
      unit: 'suffix: img/s',
      min: 0,
      queries: [{ expr: gauge('fidelis_training_images_per_second', CHOSEN_RUNS), legend: '{{run}}' }],
    },
    {
      title: 'Training loss',
      description:
        'Loss of the last step, at the temperature of the run: it can be compared neither with another run’s nor with an evaluation.',
      unit: Short,
      min: 0,
      queries: [{ expr: gauge('fidelis_training_loss', CHOSEN_RUNS), legend: '{{run}}' }],
    },
    {
      title: 'Runs',
      description: 'Runs by state.',
      unit: Short,
      decimals: 0,
      min: 0,
      // Every replica of student control reports the same table.
      queries: [{ expr: `max by (state) (${gauge('fidelis_runs')})`, legend: '{{state}}' }],
    },
    {
      title: 'Trainings ended',
      description: 'Per second, by kind and outcome.',
      unit: 'suffix: /s',
      min: 0,
      queries: [
        {
          expr: `sum by (kind, outcome) (${rate('fidelis_trainings_total')})`,
          legend: '{{kind}} {{outcome}}',
        },
      ],
    },
  ],
};
