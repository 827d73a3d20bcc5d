import type { StageView } from '../render/stage-view.js';
import type { ProgramEvent } from './stack-port.js';

/** nats-server, PostgreSQL, teacher, student control and worker, metrics, gateway. */
const STACK_PARTS = 7;

/** The set-up of the stack as a stage: how many of its parts are ready. */
export class StackProgress {
  private readonly ready = new Set<string>();
  private latest = 'starting NATS and PostgreSQL';
  private seconds: number | undefined;

  get finished(): boolean {
    return this.seconds !== undefined;
  }

  /** @returns what happened as a line for people; undefined for what is a matter of course */
  take(event: ProgramEvent): string | undefined {
    const first = event.type === 'ready' && !this.ready.has(event.name);
    if (first) this.ready.add(event.name);
    if (!this.finished) this.latest = `${event.name} ${event.type}`;
    return first ? undefined : eventLine(event);
  }

  finish(seconds: number): void {
    this.seconds = seconds;
  }

  view(): StageView {
    return {
      label: 'set-up',
      state: this.finished ? 'done' : 'running',
      done: Math.min(this.ready.size, STACK_PARTS),
      total: STACK_PARTS,
      unit: 'parts',
      ...(this.seconds === undefined ? { note: this.latest } : { seconds: this.seconds }),
    };
  }
}

function eventLine(event: ProgramEvent): string | undefined {
  switch (event.type) {
    case 'ready':
      return `${event.name} is ready again`;
    case 'exited':
      return `${event.name} ended unexpectedly: ${event.reason}`;
    case 'restarting':
      return `${event.name} is started again in ${event.delayMs} ms (attempt ${event.attempt})`;
    case 'failed':
      return `${event.name} is given up: ${event.error.message}`;
    case 'stopped':
      return undefined;
  }
}
