import type { StageView } from '../render/stage-view.js';
import type { StackNews } from './stack-port.js';

/** nats-server, PostgreSQL, teacher-svc, student-svc twice (control, worker), metrics-svc, gateway. */
const STACK_PARTS = 7;

/** The set-up of the stack as a stage: how many of its parts are ready. */
export class StackProgress {
  private readonly ready = new Set<string>();
  private latest = '';
  private seconds: number | undefined;

  /** @returns true if the news belong to the set-up and not to what happens later */
  note({ part, state }: StackNews): boolean {
    if (this.seconds !== undefined) return false;
    if (state === 'ready') this.ready.add(part);
    if (state === 'starting' || state === 'ready') this.latest = `${part} ${state}`;
    return state === 'starting' || state === 'ready';
  }

  finish(seconds: number): void {
    this.seconds = seconds;
  }

  view(): StageView {
    const finished = this.seconds !== undefined;
    return {
      label: 'set-up',
      state: finished ? 'done' : 'running',
      done: Math.min(this.ready.size, STACK_PARTS),
      total: STACK_PARTS,
      unit: 'parts',
      ...(finished ? { seconds: this.seconds ?? null } : { note: this.latest }),
    };
  }
}

/** Later news as a line for people; undefined for what is not worth one. */
export function newsLine({ part, state, message }: StackNews): string | undefined {
  if (state === 'starting') return undefined;
  const words = {
    ready: 'is ready',
    restarting: 'ended unexpectedly and is started again',
    failed: 'failed',
    stopped: 'has stopped',
  }[state];
  return message === undefined ? `${part} ${words}` : `${part} ${words}: ${message}`;
}
