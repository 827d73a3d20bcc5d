import { SUBJECT_ROOT, subjectToken } from './contract.js';

/** What exists on the bus: bootstrap creates all of it but the logit streams, which teacher-svc creates and removes. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'workqueue';
  /** 0: without limit. */
  readonly maxAgeSeconds: number;
  readonly description: string;
}

const DAY_SECONDS = 86_400;

export const STREAMS = {
  jobs: {
    name: 'FIDELIS_JOBS',
    subjects: [`${SUBJECT_ROOT}.jobs.>`],
    retention: 'workqueue',
    maxAgeSeconds: 0,
    description: 'Trainings to do, each for one worker',
  },
  events: {
    name: 'FIDELIS_EVENTS',
    subjects: [`${SUBJECT_ROOT}.events.>`],
    retention: 'limits',
    maxAgeSeconds: 7 * DAY_SECONDS,
    description: 'What happened',
  },
  predictions: {
    name: 'FIDELIS_PREDICTIONS',
    subjects: [`${SUBJECT_ROOT}.predictions.>`],
    retention: 'workqueue',
    maxAgeSeconds: 0,
    description: 'Predictions to score, removed when scored',
  },
  deadLetters: {
    name: 'FIDELIS_DEAD',
    subjects: [`${SUBJECT_ROOT}.dead.>`],
    retention: 'limits',
    maxAgeSeconds: 30 * DAY_SECONDS,
    description: 'Messages that could not be handled, each with its reason',
  },
} as const satisfies Record<string, StreamDefinition>;

export const RUNS_BUCKET = 'fidelis-runs';
export const ARTIFACTS_BUCKET = 'fidelis-artifacts';

const LOGIT_STREAM_PREFIX = 'FIDELIS_LOGITS_';

/** JetStream stream of a logit stream: limits retention, file storage. */
export function logitStreamName(streamKey: string): string {
  return `${LOGIT_STREAM_PREFIX}${subjectToken(streamKey)}`;
}

/** The other way round. */
export function logitStreamKey(streamName: string): string {
  return streamName.slice(LOGIT_STREAM_PREFIX.length);
}

/** Of all logit streams. */
export const LOGIT_SUBJECTS = `${SUBJECT_ROOT}.logits.*`;

export function logitSubject(streamKey: string): string {
  return `${SUBJECT_ROOT}.logits.${subjectToken(streamKey)}`;
}

/** Key in `fidelis-runs` whose existence asks the run's worker to stop. */
export function cancelKey(runId: string): string {
  return `${subjectToken(runId)}.cancel`;
}

/** Every message carries it: the id that joins the log lines of one request over all services. */
export const CORRELATION_HEADER = 'Fidelis-Correlation-Id';
/** Of a dead letter: why, and where it came from. */
export const DEAD_LETTER_HEADERS = {
  code: 'Fidelis-Error-Code',
  reason: 'Fidelis-Error',
  subject: 'Fidelis-Subject',
  stream: 'Fidelis-Stream',
  deliveries: 'Fidelis-Deliveries',
} as const;
