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

/** What a counter has grown by. A series that is new has no increase: it begins with what it counted first. */
function grown(counter: string): string {
  return `${counter} - (${counter} offset 15m) > 0 or (${counter} > 0 unless ${counter} offset 15m)`;
}

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
    expr: grown('fidelis_dead_letters_total'),
    for: '0m',
    labels: { severity: 'warning' },
    annotations: {
      summary: '{{ $labels.job }} set messages aside',
      description: '{{ $value }} messages ({{ $labels.kind }}) could not be handled in the last 15 minutes.',
      runbook:
        '`fidelis jobs --dead` lists them with their reasons; the log of the service has a line for each. Runs that waited for them have failed with the same error. With the reason gone, `fidelis jobs redrive` has them handled again.',
    },
  },
  {
    alert: 'FidelisFramesLost',
    expr: grown('fidelis_frames_lost_total'),
    for: '0m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'Frames that {{ $labels.instance }} wanted are gone from their logs',
      description:
        '{{ $value }} times in the last 15 minutes a student stood before a step that was purged, deleted or lost with its broker. It waits until the teacher has produced it again.',
      runbook:
        "The worker's log names stream and message. Once is a broker that lost its disk, or somebody who deleted messages by hand; again and again, look whether something else removes streams named FIDELIS_LOGITS_*. `fidelis streams` shows the incarnations.",
    },
  },
  {
    alert: 'FidelisAccountingOpen',
    expr: grown('fidelis_accounting_open_total'),
    for: '0m',
    labels: { severity: 'critical' },
    annotations: {
      summary:
        '{{ $labels.instance }}: a run ended with other numbers of frames published, consumed and trained on',
      description:
        'For {{ $value }} runs of the last 15 minutes the account of frames does not close: their students were not trained on exactly what their teachers said.',
      runbook:
        'The log of student control names the runs and the three numbers, `fidelis show` has them, too. Do not trust these students: start the runs again, and report it with the logs of teacher, worker and control.',
    },
  },
  {
    alert: 'FidelisCanaryFailed',
    expr: grown('fidelis_canary_failures_total'),
    for: '0m',
    labels: { severity: 'critical' },
    annotations: {
      summary: 'A teacher of {{ $labels.instance }} does not say what its stored weights say',
      description:
        'A freshly loaded copy in eval mode answered otherwise, {{ $value }} times in the last 15 minutes. Nothing of these steps was published, and their streams have failed.',
      runbook:
        'The log of teacher-svc and the error of the stream (`fidelis streams <key>`) name teacher, step, sample and both logits. Restart teacher-svc; if it is so again, FIDELIS_EAGER=true tells whether a compiled graph is at fault.',
    },
  },
  {
    alert: 'FidelisStreamsWaitForRoom',
    expr: 'rate(fidelis_teacher_wait_seconds_total{reason="quota"}[5m]) > 0.5',
    for: '5m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'Teachers of {{ $labels.instance }} wait for room for more frames',
      description:
        'For more than half of the last 5 minutes streams could not grow, since the quota is used up by frames that runs still read.',
      runbook:
        '`fidelis streams` shows how much each stream stores and which runs hold it; the slowest checkpoint decides what can go. Raise FIDELIS_STREAM_QUOTA_BYTES, or run fewer students at once. After FIDELIS_STREAM_QUOTA_PATIENCE_SECONDS a stream fails with STREAM.QUOTA.',
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
