import {
  canonicalJson,
  FidelisError,
  type ProducerFingerprint,
  type StreamProducer,
} from '@fidelis/contracts';

export interface Continuation {
  readonly key: string;
  /** Who scored the steps before. */
  readonly producers: readonly StreamProducer[];
  /** Whether steps are added to some that a student trains on, or has trained on. */
  readonly continues: boolean;
  readonly allowChange: boolean;
}

/**
 * Frames of two producers (another backend, processor, number of threads) differ in their last bits: a student of both could not be reproduced.
 *
 * @throws FidelisError STREAM.PRODUCER_CHANGED
 */
export function checkProducer(
  { key, producers, continues, allowChange }: Continuation,
  fingerprint: ProducerFingerprint,
): void {
  const before = producers.at(-1)?.fingerprint;
  if (!continues || allowChange || before === undefined || sameProducer(before, fingerprint)) return;
  throw new FidelisError(
    'STREAM.PRODUCER_CHANGED',
    `the steps of logit stream ${key} so far were scored on ${describe(before)}; this teacher-svc computes on ${describe(fingerprint)}, so the rest would ` +
      'differ in the last bits: go on there, or start the run anew, or allow it with FIDELIS_ALLOW_PRODUCER_CHANGE=true',
    { details: { key, before, now: fingerprint } },
  );
}

/** The producers after `steps` more steps by this one. */
export function addSteps(
  producers: readonly StreamProducer[],
  { instance, fingerprint, steps, at }: StreamProducer,
): StreamProducer[] {
  const last = producers.at(-1);
  if (last?.instance !== instance || !sameProducer(last.fingerprint, fingerprint)) {
    return steps === 0 ? [...producers] : [...producers, { instance, fingerprint, steps, at }];
  }
  return [...producers.slice(0, -1), { ...last, steps: last.steps + steps, at }];
}

function sameProducer(a: ProducerFingerprint, b: ProducerFingerprint): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function describe({ backend, backendVersion, threads, platform }: ProducerFingerprint): string {
  return `${backend} ${backendVersion} with ${threads} thread${threads === 1 ? '' : 's'} on ${platform}`;
}
