import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@fidelis/testing';
import { Client } from 'pg';
import type { RunningStack } from '../../e2e/running-stack.js';
import { childrenOf, environmentOf, exists } from './child-processes.js';

/** As the stack names its programs. */
export type Role =
  'student-worker' | 'student-control' | 'teacher' | 'metrics' | 'gateway' | 'nats-server' | 'postgresql';

/** What a paused program goes on with. */
export interface Paused {
  resume(): void;
}

const END_DEADLINE_MS = 15_000;
const CATCH_DEADLINE_MS = 60_000;
const SETTLED_MS = 20;
const DATABASE_URL = 'FIDELIS_DATABASE_URL';
/** SELECT … FOR UPDATE locks the rows, and the table in this mode. */
const IDLE_WITH_A_STREAM = `SELECT 1 FROM pg_stat_activity JOIN pg_locks USING (pid)
  WHERE state = 'idle in transaction' AND relation = 'teacher.streams'::regclass AND mode = 'RowShareLock'`;

/** Real signals to the real processes of a stack, whose supervisor starts again what ended. */
export class Disturbance {
  constructor(private readonly running: RunningStack) {}

  /** SIGKILL: no goodbye, nothing is flushed. Waits until it is gone, not until it is back. */
  async kill(program: string): Promise<void> {
    await this.end(program, 'SIGKILL');
  }

  /** Ends it in order; PostgreSQL breaks off what its clients are at, and closes its files. */
  async restart(program: Role): Promise<void> {
    await this.end(program, program === 'postgresql' ? 'SIGINT' : 'SIGTERM');
  }

  /** SIGSTOP, as when its container is frozen: the program and the processes that compute for it. */
  pause(program: string, { children = true }: { readonly children?: boolean } = {}): Paused {
    const pid = this.running.pidOf(program);
    const pids = [pid, ...(children ? childrenOf(pid) : [])];
    for (const each of pids) process.kill(each, 'SIGSTOP');
    return {
      resume: () => {
        for (const each of pids.filter(exists)) process.kill(each, 'SIGCONT');
      },
    };
  }

  /** The length of the pause is the fault itself: longer than whoever waits for a sign of life waits. */
  async pauseFor(program: string, milliseconds: number): Promise<void> {
    const paused = this.pause(program);
    await delay(milliseconds);
    paused.resume();
  }

  /** Paused in the middle of a transaction in which it has locked a stream. */
  async pauseHoldingStream(program: string): Promise<Paused> {
    const database = new Client({
      connectionString: environmentOf(this.running.pidOf(program), DATABASE_URL),
    });
    await database.connect();
    try {
      return await waitFor(
        async () => {
          const paused = this.pause(program, { children: false });
          // What another teacher has under way is over by then.
          await delay(SETTLED_MS);
          if ((await database.query(IDLE_WITH_A_STREAM)).rowCount !== 0) return paused;
          paused.resume();
          return undefined;
        },
        { what: `${program} to be caught with a stream locked`, deadlineMs: CATCH_DEADLINE_MS, everyMs: 1 },
      );
    } finally {
      await database.end();
    }
  }

  private async end(program: string, signal: NodeJS.Signals): Promise<void> {
    const pid = await waitFor(() => this.alive(program), {
      what: `${program} to run`,
      deadlineMs: END_DEADLINE_MS,
    });
    process.kill(pid, signal);
    await waitFor(() => !exists(pid), { what: `${program} to end`, deadlineMs: END_DEADLINE_MS });
  }

  private alive(program: string): number | undefined {
    const pid = this.running.pidOf(program);
    return exists(pid) ? pid : undefined;
  }
}
