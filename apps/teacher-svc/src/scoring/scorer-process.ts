import { ComputeChild } from '@fidelis/compute';
import { FidelisError } from '@fidelis/contracts';
import type { FromScorer, ToScorer } from './scorer-protocol.js';

/** The same from `src` and from `dist`: what is forked is always the build. */
const SCORER = new URL('../../dist/scoring/scorer.child.js', import.meta.url);
const GRACE_MS = 3_000;
const LOOK_EVERY_MS = 1_000;

/** The process that scores for a session. */
export interface ScorerProcess {
  send(message: ToScorer): Promise<void>;
  /** One consumer. Ends after `stop`; throws what the process failed with. */
  readonly messages: AsyncIterable<FromScorer>;
  stop(): Promise<void>;
}

export function spawnScorer(): ScorerProcess {
  const child = ComputeChild.spawn<ToScorer, FromScorer>(SCORER, {
    // It computes: the database is none of its business.
    env: { FIDELIS_DATABASE_URL: '' },
  });
  return {
    send: (message) => child.send(message),
    messages: child.messages,
    stop: async () => {
      await child.stop({ graceMs: GRACE_MS });
    },
  };
}

/**
 * Watches a process that may have nothing to do for hours, but must say something for as long as it has. Time that its listener takes over a message does not
 * count against it.
 */
export class SilenceWatch {
  private readonly timer: NodeJS.Timeout;
  private reject: (error: Error) => void = () => undefined;
  private heardAt = performance.now();
  /** Rejects when it was silent for too long. */
  readonly broken: Promise<never>;

  constructor(limitMs: number, isBusy: () => boolean) {
    this.broken = new Promise<never>((_, reject) => (this.reject = reject));
    this.broken.catch(() => undefined);
    this.timer = setInterval(
      () => {
        if (!isBusy()) this.heard();
        else if (performance.now() - this.heardAt > limitMs) this.reject(hangs(limitMs));
      },
      Math.min(LOOK_EVERY_MS, limitMs / 4),
    );
  }

  heard(): void {
    this.heardAt = performance.now();
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

function hangs(silenceMs: number): FidelisError {
  return new FidelisError(
    'TRAINING.CHILD_EXITED',
    `the scoring process hangs: it said nothing for ${silenceMs / 1_000} s and was ended; if its batches take that long, raise FIDELIS_CHILD_SILENCE_SECONDS`,
  );
}
