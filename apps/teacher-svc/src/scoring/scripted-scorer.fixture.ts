import { FidelisError } from '@fidelis/contracts';
import { vi } from 'vitest';
import type { FromScorer, ToScorer } from './scorer-protocol.js';
import type { ScorerProcess } from './scorer-process.js';

/** A scoring process that does what it was asked for when the test says so. */
export interface ScriptedScorer extends ScorerProcess {
  /** All but the first message, which says who the teacher is. */
  readonly tasks: readonly Exclude<ToScorer, { type: 'start' }>[];
  readonly stopped: boolean;
  /** Keys of streams whose view it cannot make. */
  readonly failing: Set<string>;
  /** Says something of its own accord. */
  say(...messages: readonly FromScorer[]): void;
  /** Does the oldest task that it has not done. */
  scoreNext(): Promise<void>;
  /** Goes on until it has nothing to do. */
  scoreAll(): Promise<void>;
}

const CHUNKS = 59;

export function scriptedScorer(): ScriptedScorer {
  const tasks: Exclude<ToScorer, { type: 'start' }>[] = [];
  const failing = new Set<string>();
  const queue: FromScorer[] = [];
  let wake: (() => void) | undefined;
  let stopped = false;
  let done = 0;
  const say = (...messages: readonly FromScorer[]): void => {
    queue.push(...messages);
    wake?.();
  };
  const undone = (): ToScorer | undefined => {
    while (tasks[done]?.type === 'forget-stream') done += 1;
    return tasks[done];
  };
  const scoreNext = async (): Promise<void> => {
    const task = undone();
    if (task === undefined) return;
    done += 1;
    if (task.type === 'score-split') say(splitScored(task.split), { type: 'task-done', task });
    if (task.type === 'score-piece') {
      say(...(failing.has(task.key) ? [streamFailed(task.key)] : stepsOf(task)), { type: 'task-done', task });
    }
    await vi.advanceTimersByTimeAsync(0);
  };
  return {
    tasks,
    failing,
    get stopped(): boolean {
      return stopped;
    },
    send: async (message) => {
      if (message.type !== 'start') tasks.push(message);
      else say({ type: 'started', producer: PRODUCER, attempts: [] });
    },
    messages: (async function* () {
      while (!stopped || queue.length > 0) {
        const message = queue.shift();
        if (message !== undefined) yield message;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    })(),
    stop: async () => {
      stopped = true;
      wake?.();
    },
    say,
    scoreNext,
    scoreAll: async () => {
      while (undone() !== undefined) await scoreNext();
    },
  };
}

const PRODUCER = { backend: 'tensorflow', backendVersion: '2.18', threads: 1, platform: 'linux-x64' };

function splitScored(split: 'train' | 'test'): FromScorer {
  return { type: 'split-scored', split, rows: 1, values: new Float32Array(10) };
}

function streamFailed(key: string): FromScorer {
  const error = new FidelisError('DATASET.UNKNOWN', 'this machine has no such dataset').toWire();
  return { type: 'stream-failed', key, error };
}

/** A table's last step comes after what it brings with it. */
function stepsOf({ key, view, fromStep, toStep }: Extract<ToScorer, { type: 'score-piece' }>): FromScorer[] {
  return Array.from({ length: toStep - fromStep }, (_, index) => fromStep + index).flatMap((step) => {
    const brings = view.kind === 'table' && step === CHUNKS - 1 ? [splitScored(view.split)] : [];
    const codecError = { rows: 0, klSum: 0, klMax: 0, argmaxFlips: 0 };
    const message = { key, step, rows: 128, messages: [new Uint8Array(4)], seconds: 0.001, canaryRows: 0 };
    return [...brings, { type: 'step', ...message, codecError } as const];
  });
}
