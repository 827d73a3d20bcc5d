/**
 * Every metric of the platform: services register from here, boards and alerts refer to it, and a test holds both to it.
 *
 * Names follow Prometheus: prefix `fidelis_`, base units, `_total` for counters. Labels are bounded: `run` is the id of a run and
 * its series are removed some time after the run ended.
 */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly services: readonly ServiceName[];
  /** histogram only: upper bounds, in the metric's unit. */
  readonly buckets?: readonly number[];
}

export const SERVICES = ['teacher-svc', 'student-svc', 'metrics-svc', 'gateway'] as const;
export type ServiceName = (typeof SERVICES)[number];

const all = SERVICES;

export const METRICS = {
  fidelis_build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['service', 'version', 'node'],
    services: all,
  },
  fidelis_event_loop_lag_seconds: {
    type: 'gauge',
    help: '99th percentile of the event loop delay since the last scrape.',
    labels: [],
    services: all,
  },
  fidelis_bus_messages_total: {
    type: 'counter',
    help: 'Messages handled, by kind (rpc, event, job, predictions) and outcome.',
    labels: ['kind', 'outcome'],
    services: all,
  },
  fidelis_redeliveries_total: {
    type: 'counter',
    help: 'Messages that were delivered again.',
    labels: ['kind'],
    services: all,
  },
  fidelis_dead_letters_total: {
    type: 'counter',
    help: 'Messages that could not be handled and were set aside with their reason.',
    labels: ['kind'],
    services: all,
  },
  fidelis_bus_reconnects_total: {
    type: 'counter',
    help: 'Times that the connection to NATS was lost and made again.',
    labels: [],
    services: all,
  },
  fidelis_frames_published_total: {
    type: 'counter',
    help: 'Distinct steps (or chunks of a table) of logit streams that were stored.',
    labels: ['codec'],
    services: ['teacher-svc'],
  },
  fidelis_frame_bytes_published_total: {
    type: 'counter',
    help: 'Bytes of logit frames that were stored.',
    labels: ['codec'],
    services: ['teacher-svc'],
  },
  fidelis_teacher_forward_seconds_total: {
    type: 'counter',
    help: "Seconds of the teacher's forward passes for logit streams: of the processor, or of the clock on a GPU.",
    labels: [],
    services: ['teacher-svc'],
  },
  fidelis_teacher_rows_total: {
    type: 'counter',
    help: 'Rows (images) that the teacher scored for logit streams.',
    labels: [],
    services: ['teacher-svc'],
  },
  fidelis_teachers: {
    type: 'gauge',
    help: 'Teachers by state.',
    labels: ['state'],
    services: ['teacher-svc'],
  },
  fidelis_streams: {
    type: 'gauge',
    help: 'Logit streams by state.',
    labels: ['state'],
    services: ['teacher-svc'],
  },
  fidelis_stream_bytes: {
    type: 'gauge',
    help: 'Bytes that all logit streams together take.',
    labels: [],
    services: ['teacher-svc'],
  },
  fidelis_stream_quota_bytes: {
    type: 'gauge',
    help: 'Bytes that all logit streams together may take; 0: without limit.',
    labels: [],
    services: ['teacher-svc'],
  },
  fidelis_stream_runs: {
    type: 'gauge',
    help: 'Runs that are on a logit stream.',
    labels: [],
    services: ['teacher-svc'],
  },
  fidelis_teacher_wait_seconds_total: {
    type: 'counter',
    help: 'Seconds that logit streams did not grow, by reason: pace (their runs are behind) or quota (there was no room).',
    labels: ['reason'],
    services: ['teacher-svc'],
  },
  fidelis_canary_rows_total: {
    type: 'counter',
    help: 'Rows that a freshly loaded copy of the teacher scored again.',
    labels: [],
    services: ['teacher-svc'],
  },
  fidelis_canary_failures_total: {
    type: 'counter',
    help: 'Times that a teacher did not say what its stored weights say.',
    labels: [],
    services: ['teacher-svc'],
  },
  fidelis_runs: {
    type: 'gauge',
    help: 'Runs by state.',
    labels: ['state'],
    services: ['student-svc'],
  },
  fidelis_run_attempts_total: {
    type: 'counter',
    help: 'Trainings started by a worker, counting each attempt.',
    labels: ['kind'],
    services: ['student-svc'],
  },
  fidelis_trainings_total: {
    type: 'counter',
    help: 'Trainings that ended, by kind (teacher, student) and outcome.',
    labels: ['kind', 'outcome'],
    services: ['student-svc'],
  },
  fidelis_frames_consumed_total: {
    type: 'counter',
    help: 'Distinct steps (or chunks of a table) of logit streams that students took in.',
    labels: [],
    services: ['student-svc'],
  },
  fidelis_frames_trained_total: {
    type: 'counter',
    help: 'Distinct steps (or chunks of a table) of logit streams that students trained on.',
    labels: [],
    services: ['student-svc'],
  },
  fidelis_frames_lost_total: {
    type: 'counter',
    help: 'Frames that a student wanted and that were gone from their log, until they were produced again.',
    labels: [],
    services: ['student-svc'],
  },
  fidelis_accounting_open_total: {
    type: 'counter',
    help: 'Runs that ended with other numbers of frames published, consumed and trained on.',
    labels: [],
    services: ['student-svc'],
  },
  fidelis_student_wait_seconds_total: {
    type: 'counter',
    help: 'Seconds that students waited for their teacher.',
    labels: [],
    services: ['student-svc'],
  },
  fidelis_frame_age_seconds: {
    type: 'histogram',
    help: 'From when a frame of a sequence was stored to when a student had trained on it; only frames that were stored while it trained.',
    labels: [],
    services: ['student-svc'],
    // A fine grid: what is asked of it are quantiles, from a starving student (milliseconds) to one with the whole lead before it (minutes).
    buckets: [
      0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20,
      30, 50, 75, 100, 150, 200, 300, 500,
    ],
  },
  fidelis_training_seconds_total: {
    type: 'counter',
    help: 'Seconds of trainings, waiting included.',
    labels: ['kind'],
    services: ['student-svc'],
  },
  fidelis_training_step: {
    type: 'gauge',
    help: 'Last step that was trained.',
    labels: ['run'],
    services: ['student-svc'],
  },
  fidelis_training_loss: {
    type: 'gauge',
    help: 'Loss of the last step that was reported (at the temperature of the run: never compare it with an evaluation).',
    labels: ['run'],
    services: ['student-svc'],
  },
  fidelis_training_images_per_second: {
    type: 'gauge',
    help: 'Training rate since the last report.',
    labels: ['run'],
    services: ['student-svc'],
  },
  fidelis_agreement_ratio: {
    type: 'gauge',
    help: 'Top-1 agreement of student and teacher, last evaluation.',
    labels: ['run', 'set'],
    services: ['metrics-svc'],
  },
  fidelis_predictive_kl_nats: {
    type: 'gauge',
    help: 'Mean KL(teacher ‖ student) of the predictive distributions, last evaluation.',
    labels: ['run', 'set'],
    services: ['metrics-svc'],
  },
  fidelis_top5_agreement_ratio: {
    type: 'gauge',
    help: 'Share of samples where the class of the teacher is among the five likeliest of the student, last evaluation.',
    labels: ['run', 'set'],
    services: ['metrics-svc'],
  },
  fidelis_cohen_kappa_ratio: {
    type: 'gauge',
    help: "Cohen's kappa of the predicted classes: agreement beyond chance, last evaluation.",
    labels: ['run', 'set'],
    services: ['metrics-svc'],
  },
  fidelis_jensen_shannon_nats: {
    type: 'gauge',
    help: 'Mean Jensen-Shannon divergence of the predictive distributions, last evaluation.',
    labels: ['run', 'set'],
    services: ['metrics-svc'],
  },
  fidelis_total_variation_ratio: {
    type: 'gauge',
    help: 'Mean total variation distance of the predictive distributions, last evaluation.',
    labels: ['run', 'set'],
    services: ['metrics-svc'],
  },
  fidelis_accuracy_ratio: {
    type: 'gauge',
    help: 'Top-1 accuracy, last evaluation.',
    labels: ['run', 'set', 'model'],
    services: ['metrics-svc'],
  },
  fidelis_ece_ratio: {
    type: 'gauge',
    help: 'Expected calibration error, last evaluation; the label bins says of how many bins. Model fidelity is the student with the class of the teacher as label.',
    labels: ['run', 'set', 'model', 'bins'],
    services: ['metrics-svc'],
  },
  fidelis_mce_ratio: {
    type: 'gauge',
    help: 'Maximum calibration error over the bins, last evaluation.',
    labels: ['run', 'set', 'model', 'bins'],
    services: ['metrics-svc'],
  },
  fidelis_null_ece_ratio: {
    type: 'gauge',
    help: 'Expected calibration error that a perfectly calibrated model with these confidences shows by chance, last evaluation.',
    labels: ['run', 'set', 'model', 'bins'],
    services: ['metrics-svc'],
  },
  fidelis_top5_accuracy_ratio: {
    type: 'gauge',
    help: 'Top-5 accuracy, last evaluation.',
    labels: ['run', 'set', 'model'],
    services: ['metrics-svc'],
  },
  fidelis_brier_score: {
    type: 'gauge',
    help: 'Mean Brier score, summed over the classes (0 to 2), last evaluation.',
    labels: ['run', 'set', 'model'],
    services: ['metrics-svc'],
  },
  fidelis_nll_nats: {
    type: 'gauge',
    help: 'Mean negative log-likelihood of the labels, last evaluation.',
    labels: ['run', 'set', 'model'],
    services: ['metrics-svc'],
  },
  fidelis_reliability_count_total: {
    type: 'counter',
    help: 'Samples by bin of the top-1 confidence, summed over the evaluations; model fidelity is the student with the class of the teacher as label.',
    labels: ['run', 'set', 'model', 'bins', 'bin'],
    services: ['metrics-svc'],
  },
  fidelis_reliability_correct_sum_total: {
    type: 'counter',
    help: 'Right predictions by bin of the top-1 confidence, summed over the evaluations.',
    labels: ['run', 'set', 'model', 'bins', 'bin'],
    services: ['metrics-svc'],
  },
  fidelis_reliability_confidence_sum_total: {
    type: 'counter',
    help: 'Sum of the top-1 confidences by their bin, over the evaluations.',
    labels: ['run', 'set', 'model', 'bins', 'bin'],
    services: ['metrics-svc'],
  },
  fidelis_evaluations_total: {
    type: 'counter',
    help: 'Evaluations that were completed.',
    labels: ['set'],
    services: ['metrics-svc'],
  },
  fidelis_rpc_duration_seconds: {
    type: 'histogram',
    help: 'Duration of the calls that the gateway made.',
    labels: ['method', 'outcome'],
    services: ['gateway'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  },
  fidelis_subscriptions: {
    type: 'gauge',
    help: 'GraphQL subscriptions that are open.',
    labels: [],
    services: ['gateway'],
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
