import { WORKLOADS } from '../workloads.js';

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: 'warning' | 'critical' };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    /** What to look at and to do. */
    readonly runbook: string;
  };
}

/** What a finished student on the test set has to reach; a deployment with harder tasks wants others. */
export const THRESHOLDS = {
  agreement: 0.9,
  agreementDrop: 0.05,
  klNats: 0.3,
  eceAboveTeacher: 0.05,
} as const;

/** A student at the start of its training matches nothing yet; its worker shows the training step for as long as it trains. */
const NOT_TRAINING = 'unless on (run) fidelis_training_step';

const JOBS = WORKLOADS.map(({ name }) => name).join('|');

export const alertingRules: readonly AlertingRule[] = [
  {
    alert: 'FidelisAgreementLow',
    expr: `fidelis_agreement_ratio{set="test"} < ${THRESHOLDS.agreement} ${NOT_TRAINING}`,
    for: '2m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'The student of run {{ $labels.run }} does not match its teacher',
      description: `It agrees with its teacher on {{ $value | humanizePercentage }} of the test set, less than ${THRESHOLDS.agreement * 100} %, and is no longer trained.`,
      runbook:
        'Compare with train-clean: low there too is a student that is too small, trained too short or at a learning rate that does not fit; high there is a gap of generalisation: more or augmented data for the distillation. If the run failed, its error says why.',
    },
  },
  {
    alert: 'FidelisAgreementDropped',
    expr: `max_over_time(fidelis_agreement_ratio[1h]) - fidelis_agreement_ratio > ${THRESHOLDS.agreementDrop}`,
    for: '5m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'The student of run {{ $labels.run }} matches its teacher less than before',
      description:
        'Its top-1 agreement on {{ $labels.set }} is {{ $value | humanizePercentage }} below the best of the last hour.',
      runbook:
        'Look at the training loss: if it rose as well, the training diverges and wants a lower learning rate. If it did not, compare the sets: an agreement that falls on test alone is overfitting. An earlier checkpoint may be the better student.',
    },
  },
  {
    alert: 'FidelisPredictiveKlHigh',
    expr: `fidelis_predictive_kl_nats{set="test"} > ${THRESHOLDS.klNats} ${NOT_TRAINING}`,
    for: '2m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'The predictions of run {{ $labels.run }} are far from those of its teacher',
      description: `KL(teacher ‖ student) on the test set is {{ $value | humanize }} nats, more than ${THRESHOLDS.klNats}, and the student is no longer trained.`,
      runbook:
        'With a high agreement, the classes are right and the probabilities are not: look at the calibration row, the temperature of the loss and the ECE of both models. With a low one, see FidelisAgreementLow.',
    },
  },
  {
    alert: 'FidelisCalibrationLost',
    expr: `fidelis_ece_ratio{set="test", model="student"} - ignoring (model) fidelis_ece_ratio{set="test", model="teacher"} > ${THRESHOLDS.eceAboveTeacher} ${NOT_TRAINING}`,
    for: '2m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'The student of run {{ $labels.run }} is calibrated worse than its teacher',
      description:
        'Its expected calibration error on the test set ({{ $labels.bins }} bins) is {{ $value | humanizePercentage }} above that of its teacher.',
      runbook:
        'The reliability diagrams of the calibration row say whether it is over- or underconfident. A temperature fitted on held-out data mends a uniform error; docs/metrics.md says how it is chosen.',
    },
  },
  {
    alert: 'FidelisDeadLetters',
    // A series that is new has no increase: it begins with its first message.
    expr: 'fidelis_dead_letters_total - (fidelis_dead_letters_total offset 15m) > 0 or (fidelis_dead_letters_total > 0 unless fidelis_dead_letters_total offset 15m)',
    for: '0m',
    labels: { severity: 'warning' },
    annotations: {
      summary: '{{ $labels.job }} set messages aside',
      description: '{{ $value }} messages ({{ $labels.kind }}) could not be handled in the last 15 minutes.',
      runbook:
        'The stream FIDELIS_DEAD holds them, with the reason in their headers; the log of the service has a line for each. Runs that waited for them have failed with the same error.',
    },
  },
  {
    alert: 'FidelisServiceDown',
    expr: `up{job=~"${JOBS}"} == 0`,
    for: '1m',
    labels: { severity: 'critical' },
    annotations: {
      summary: '{{ $labels.job }} at {{ $labels.instance }} cannot be scraped',
      description: 'Prometheus has not reached its /metrics for a minute.',
      runbook:
        'A service that cannot start writes one line with `code` and `msg` that say what to do. One that is up answers at /health/ready and names the part that is not well there.',
    },
  },
];
