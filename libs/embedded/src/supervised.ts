import { setTimeout as delay } from 'node:timers/promises';
import { FidelisError } from '@fidelis/contracts';
import { describeExit, type ProcessExit } from './server-process.js';

/** One life of a program. */
export interface Incarnation {
  readonly pid: number;
  /** Resolves when it can be used; rejects if it ended or took too long. */
  readonly ready: Promise<void>;
  readonly exited: Promise<ProcessExit>;
  stop(): Promise<void>;
  kill(): void;
}

export interface RestartPolicy {
  /** Gives up after so many ends within the window. */
  readonly limit: number;
  readonly windowMs: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const RESTART_POLICY: RestartPolicy = {
  limit: 5,
  windowMs: 60_000,
  firstDelayMs: 250,
  maxDelayMs: 5_000,
};

export type ProgramState = 'starting' | 'ready' | 'restarting' | 'failed' | 'stopped';

export type ProgramEvent =
  | { readonly type: 'ready'; readonly name: string; readonly pid: number }
  | { readonly type: 'exited'; readonly name: string; readonly reason: string }
  | { readonly type: 'restarting'; readonly name: string; readonly attempt: number; readonly delayMs: number }
  | { readonly type: 'failed'; readonly name: string; readonly error: FidelisError }
  | { readonly type: 'stopped'; readonly name: string };

export interface SupervisedOptions {
  readonly name: string;
  readonly launch: () => Promise<Incarnation>;
  /** The last lines of its log, for the error. */
  readonly logTail: () => Promise<readonly string[]>;
  readonly policy?: RestartPolicy;
  readonly onEvent: (event: ProgramEvent) => void;
}

/** Keeps one program running until it is stopped, or until it ended too often. */
export class Supervised {
  private state: ProgramState = 'starting';
  private incarnation: Incarnation | undefined;
  private readonly stopping = new AbortController();
  private readonly ends: number[] = [];
  private loop: Promise<void> | undefined;

  constructor(private readonly options: SupervisedOptions) {}

  get name(): string {
    return this.options.name;
  }

  get status(): {
    readonly name: string;
    readonly state: ProgramState;
    readonly pid: number | undefined;
    readonly restarts: number;
  } {
    return { name: this.name, state: this.state, pid: this.incarnation?.pid, restarts: this.ends.length };
  }

  /**
   * Resolves when the program is ready for the first time.
   * @throws STACK.SERVICE_FAILED with its last log lines; the program's own error where repeating cannot help
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.loop = this.keepRunning(resolve, reject);
    });
  }

  /** Ends it and starts it no more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.incarnation?.stop();
    await this.loop;
    if (this.state !== 'stopped') this.options.onEvent({ type: 'stopped', name: this.name });
    this.state = 'stopped';
  }

  /** Ends it at once, without a goodbye. */
  kill(): void {
    this.stopping.abort();
    this.incarnation?.kill();
  }

  private async keepRunning(onReady: () => void, onGiveUp: (error: FidelisError) => void): Promise<void> {
    let wasReady = false;
    while (!this.stopping.signal.aborted) {
      const reason = await this.liveOnce(() => {
        wasReady = true;
        onReady();
      });
      if (this.stopping.signal.aborted) break;
      this.options.onEvent({ type: 'exited', name: this.name, reason: reason.message });
      const error = await this.judge(reason, wasReady);
      if (error !== undefined) {
        this.state = 'failed';
        this.options.onEvent({ type: 'failed', name: this.name, error });
        onGiveUp(error);
        return;
      }
      await this.pause();
    }
    onGiveUp(new FidelisError('STACK.SERVICE_FAILED', `${this.name} was stopped before it was ready`));
  }

  /** From launch to end; says why it ended. */
  private async liveOnce(onReady: () => void): Promise<Error> {
    let incarnation: Incarnation;
    try {
      incarnation = await this.options.launch();
    } catch (error) {
      return FidelisError.from(error);
    }
    this.incarnation = incarnation;
    if (this.stopping.signal.aborted) await incarnation.stop();
    try {
      await incarnation.ready;
      if (!this.stopping.signal.aborted) {
        this.state = 'ready';
        this.options.onEvent({ type: 'ready', name: this.name, pid: incarnation.pid });
        onReady();
      }
    } catch (error) {
      incarnation.kill();
      await incarnation.exited;
      return FidelisError.from(error);
    }
    return new Error(describeExit(await incarnation.exited));
  }

  /** The error to give up with; undefined: try again. */
  private async judge(reason: Error, wasReady: boolean): Promise<FidelisError | undefined> {
    const { windowMs, limit } = this.options.policy ?? RESTART_POLICY;
    const repeating = !FidelisError.is(reason) || reason.retryable || reason.code === 'INTERNAL';
    if (!wasReady && !repeating) return FidelisError.from(reason);
    const now = Date.now();
    this.ends.push(now);
    const recent = this.ends.filter((at) => now - at < windowMs);
    if (recent.length < limit) return undefined;
    const tail = await this.options.logTail();
    return new FidelisError(
      'STACK.SERVICE_FAILED',
      `${this.name} ended ${recent.length} times within ${windowMs / 1000} s, the last time with ${reason.message}. Its last log lines:\n${tail.join('\n')}`,
      { details: { service: this.name }, cause: reason },
    );
  }

  private async pause(): Promise<void> {
    const { windowMs, firstDelayMs, maxDelayMs } = this.options.policy ?? RESTART_POLICY;
    const attempt = this.ends.filter((at) => Date.now() - at < windowMs).length;
    const delayMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
    this.state = 'restarting';
    this.options.onEvent({ type: 'restarting', name: this.name, attempt, delayMs });
    await delay(delayMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
